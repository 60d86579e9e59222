#include "daemon/ctl/grid.h"

#include <algorithm>

namespace hawser::ctl {
namespace {

std::string Tame(std::string text) {
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = '?';
  }
  return text;
}

// Columns on the screen, near enough: characters of UTF-8, not bytes.
std::size_t Width(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string_view Code(Tone tone) {
  switch (tone) {
    case Tone::kPlain:
      return "";
    case Tone::kGood:
      return "\033[32m";
    case Tone::kWarn:
      return "\033[33m";
    case Tone::kBad:
      return "\033[31m";
  }
  return "";
}

std::string RenderRow(const std::vector<GridCell>& row, const std::vector<std::size_t>& widths,
                      bool colour) {
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const std::string text = Tame(row[i].text);
    const std::string pad(widths[i] - Width(text), ' ');
    const std::string_view code = colour ? Code(row[i].tone) : std::string_view{};
    const std::string shown = code.empty() ? text : std::string(code) + text + "\033[0m";
    if (i > 0) line += "  ";
    line += row[i].right ? pad + shown : shown + pad;
  }
  while (line.ends_with(' ')) line.pop_back();
  return line + '\n';
}

}  // namespace

std::string Render(const Grid& grid, bool colour) {
  std::vector<std::size_t> widths;
  for (const std::string& title : grid.header) widths.push_back(Width(title));
  for (const auto& row : grid.rows) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], Width(Tame(row[i].text)));
  }
  std::vector<GridCell> titles;
  for (std::size_t i = 0; i < grid.header.size(); ++i) {
    const bool right = !grid.rows.empty() && grid.rows.front()[i].right;
    titles.push_back({grid.header[i], Tone::kPlain, right});
  }
  std::string out = RenderRow(titles, widths, false);
  for (const auto& row : grid.rows) out += RenderRow(row, widths, colour);
  return out;
}

}  // namespace hawser::ctl
