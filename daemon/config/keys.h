#pragma once

// The key table: every section and key there is, with type, default, bounds and meaning. Parsing,
// near misses, --print-config, the environment and the sample file all follow from it.
// Threads: constants.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/config.h"

namespace hawser::config {

enum class KeyType : std::uint8_t { kText, kChoice, kTexts, kSize, kDuration, kInteger, kBoolean };

// What a reload (SIGHUP) does with a changed value.
enum class Reload : std::uint8_t { kLive, kRestart };

// A value after its type and bounds were checked. Sizes are bytes, durations milliseconds, booleans
// 0 and 1, all in `number`.
struct Value {
  std::string text;
  std::int64_t number = 0;
  std::vector<std::string> texts;
};

struct Key {
  std::string_view section;
  std::string_view name;
  KeyType type = KeyType::kText;
  std::string_view fallback;  // the default as written in TOML; empty: there is none
  bool required = false;
  Reload reload = Reload::kRestart;
  std::string_view meaning;
  std::string_view example;                        // the sample's value where there is no default
  std::int64_t min = 0, max = 0;                   // numbers: both included, in base units
  std::string_view choices;                        // kChoice: words with a space between
  std::string (*problem)(const Value&) = nullptr;  // more rules; empty: fine
  void (*store)(Config&, const Value&) = nullptr;  // into the newest element of its section
};

struct Section {
  enum class Kind : std::uint8_t {
    kOne,    // [name]
    kMany,   // [[name]]
    kNamed,  // [parent.name.X], X chosen by the user
  };
  std::string_view name;
  Kind kind = Kind::kOne;
  std::string_view meaning;
  void (*begin)(Config&, const std::string& name) = nullptr;  // makes room for the next element
  bool optional = false;  // nobody has to write one: commented out in the sample
};

std::span<const Section> Sections();
std::span<const Key> Keys();
const Section* FindSection(std::string_view name);
std::vector<const Key*> KeysOf(std::string_view section);
const Key* FindKey(std::string_view section, std::string_view name);

// A value as TOML text: what the parser would read back.
std::string Render(const Key& key, const Value& value);
std::string Quoted(std::string_view text);  // a TOML basic string

}  // namespace hawser::config
