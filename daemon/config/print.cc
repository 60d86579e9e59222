#include "daemon/config/print.h"

#include <algorithm>

namespace hawser::config {
namespace {

bool IsBare(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

std::string Header(const Section& section, const std::string& name) {
  const std::string path(section.name);
  if (section.kind == Section::Kind::kOne) return '[' + path + ']';
  if (section.kind == Section::Kind::kMany) return "[[" + path + "]]";
  return '[' + path + '.' + (IsBare(name) ? name : Quoted(name)) + ']';
}

void Print(const Element& element, std::string& out) {
  out += '\n' + Header(*element.section, element.name) + '\n';
  for (const Setting& setting : element.settings) {
    std::string line = std::string(setting.key->name) + " = " + Render(*setting.key, setting.value);
    line.resize(std::max<std::size_t>(line.size(), 40), ' ');
    out += line + "  # " + Text(setting.source) + '\n';
  }
  for (const Element& child : element.children) Print(child, out);
}

// --- The sample
// -----------------------------------------------------------------------------------
// "# " and the text, broken at 96 columns.
std::string Comment(std::string text) {
  std::string out;
  constexpr std::size_t kWidth = 96;
  while (text.size() > kWidth) {
    const std::size_t space = text.rfind(' ', kWidth);
    out += "# " + text.substr(0, space) + '\n';
    text.erase(0, space + 1);
  }
  return out + "# " + text + '\n';
}

std::string_view UnitOf(const Key& key) {
  switch (key.type) {
    case KeyType::kSize:
      return "size (B KiB MiB GiB TiB)";
    case KeyType::kDuration:
      return "duration (ms s m h d)";
    case KeyType::kInteger:
      return "number";
    case KeyType::kBoolean:
      return "true or false";
    case KeyType::kTexts:
      return "list";
    case KeyType::kText:
      return "text";
    case KeyType::kChoice:
      return "choice";
  }
  return "";
}

std::string Note(const Key& key) {
  std::string note = std::string(key.meaning) + " [" + std::string(UnitOf(key));
  if (key.type == KeyType::kChoice) note += ": " + std::string(key.choices);
  if (key.required) {
    note += "; required";
  } else {
    note += key.fallback.empty() ? "; default: none" : "; default: " + std::string(key.fallback);
  }
  note += key.reload == Reload::kLive ? "; reload" : "; restart";
  return note + ']';
}

// `off`: a section, or a key without default, that nobody has to write stands commented out.
void Sample(const Section& section, const std::string& name, bool off, std::string& out) {
  const std::string mark = off ? "#" : "";
  out += '\n' + Comment(std::string(section.meaning));
  out += mark + Header(section, name) + '\n';
  for (const Key* key : KeysOf(section.name)) {
    const bool has_default = !key->fallback.empty();
    const bool as_example = off && !key->example.empty();
    const bool key_off = off || (!key->required && !has_default);
    out += Comment(Note(*key));
    out += (key_off ? "#" : "") + std::string(key->name) + " = " +
           std::string(has_default && !as_example ? key->fallback : key->example) + '\n';
  }
}

}  // namespace

std::string PrintConfig(const Settings& settings) {
  std::string out = "# The configuration in effect; behind each value, where it comes from.\n";
  for (const Element& element : settings.elements) Print(element, out);
  return out;
}

std::string SampleFile() {
  std::string out =
      "# Hawser: the configuration of one region's daemon. This file lists every key there is.\n"
      "# Brackets behind a meaning: the type; the default; and whether a changed value is taken at "
      "a\n"
      "# reload (SIGHUP) or at the next restart. Check with `hawserd --check --config FILE`.\n"
      "# Read from /etc/hawser/hawser.toml, then conf.d/*.toml in order of names; later values "
      "win.\n"
      "# A variable HAWSER_SECTION__KEY overrides both. Secrets are never written here: name their "
      "files.\n";
  for (const Section& section : Sections()) {
    Sample(section, section.kind == Section::Kind::kNamed ? "status" : "", section.optional, out);
    if (section.name == "regions") {
      out += "[[regions]]\nname = \"eu-west\"\nid = 2\nnats = [\"nats://127.0.0.1:4222\"]\n";
    }
  }
  return out;
}

}  // namespace hawser::config
