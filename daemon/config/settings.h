#pragma once

// Settings: what was said where. Every key of the configuration with its value and its source, in
// the shape of the file; the plain Config follows from it. Threads: plain values.

#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/keys.h"

namespace hawser::config {

// Where a value comes from.
struct Source {
  enum class Kind : std::uint8_t { kDefault, kFile, kEnvironment };
  Kind kind = Kind::kDefault;
  std::string name;  // the file's path or the variable's name
  int line = 0;      // kFile; 0: the file as a whole
};
// "default", "/etc/hawser/hawser.toml:12" or "HAWSER_STORAGE__PATH".
std::string Text(const Source& source);

struct Setting {
  const Key* key = nullptr;
  Value value;
  Source source;
};

// One [section], one of [[sections]], or one named [section.NAME].
struct Element {
  const Section* section = nullptr;
  std::string name;  // Section::Kind::kNamed only
  Source source;
  std::vector<Setting> settings;
  std::vector<Element> children;

  const Setting* Find(std::string_view key) const;
  // Where to point when `key` is at fault: at its value, else at the element.
  const Source& Where(std::string_view key) const;
};

struct Settings {
  std::vector<Element> elements;

  // The one element of a section of Kind::kOne, made if it is not there yet.
  Element& One(const Section& section);
  // Elements of a section, in order.
  std::vector<const Element*> All(std::string_view section) const;
};

// What is wrong, with what to do about it. `key` is "storage.journal_max", or empty.
struct Problem {
  Source source;
  std::string key;
  std::string text;
};
using Problems = std::vector<Problem>;
// "FILE:LINE: KEY: TEXT"
std::string Text(const Problem& problem);

}  // namespace hawser::config
