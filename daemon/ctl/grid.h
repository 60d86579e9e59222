#pragma once

// Grid: rows of text in aligned columns, for people. Pure.

#include <string>
#include <vector>

namespace hawser::ctl {

enum class Tone { kPlain, kGood, kWarn, kBad };

struct GridCell {
  std::string text;
  Tone tone = Tone::kPlain;
  bool right = false;  // numbers
};

struct Grid {
  std::vector<std::string> header;
  std::vector<std::vector<GridCell>> rows;
};

// Control characters are shown as "?": what comes from elsewhere must not steer the terminal.
std::string Render(const Grid& grid, bool colour);

}  // namespace hawser::ctl
