#include "daemon/config/keys.h"

#include <algorithm>

#include "daemon/config/units.h"

namespace hawser::config {

const Section* FindSection(std::string_view name) {
  const auto at = std::ranges::find(Sections(), name, &Section::name);
  return at == Sections().end() ? nullptr : &*at;
}

std::vector<const Key*> KeysOf(std::string_view section) {
  std::vector<const Key*> keys;
  for (const Key& key : Keys()) {
    if (key.section == section) keys.push_back(&key);
  }
  return keys;
}

const Key* FindKey(std::string_view section, std::string_view name) {
  for (const Key& key : Keys()) {
    if (key.section == section && key.name == name) return &key;
  }
  return nullptr;
}

std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      constexpr std::string_view kHex = "0123456789ABCDEF";
      out += "\\u00";
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[static_cast<unsigned char>(c) & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string Render(const Key& key, const Value& value) {
  switch (key.type) {
    case KeyType::kText:
    case KeyType::kChoice:
      return Quoted(value.text);
    case KeyType::kSize:
      return Quoted(FormatSize(static_cast<std::uint64_t>(value.number)));
    case KeyType::kDuration:
      return Quoted(FormatDuration(value.number));
    case KeyType::kInteger:
      return std::to_string(value.number);
    case KeyType::kBoolean:
      return value.number != 0 ? "true" : "false";
    case KeyType::kTexts:
      break;
  }
  std::string out = "[";
  for (const std::string& text : value.texts) {
    if (out.size() > 1) out += ", ";
    out += Quoted(text);
  }
  return out + "]";
}

}  // namespace hawser::config
