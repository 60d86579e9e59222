#include "daemon/admin/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>

#include "daemon/admin/text.h"

namespace hawser::admin {

void JsonWriter::Separate() {
  if (!first_) out_ += ',';
  first_ = false;
}

void JsonWriter::Open(char bracket) {
  Separate();
  out_ += bracket;
  first_ = true;
}

void JsonWriter::Close(char bracket) {
  out_ += bracket;
  first_ = false;
}

void JsonWriter::Key(std::string_view name) {
  String(name);
  out_ += ':';
  first_ = true;
}

void JsonWriter::String(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  Separate();
  out_ += '"';
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text.front());
    if (byte < 0x80) {
      switch (byte) {
        case '"':
          out_ += "\\\"";
          break;
        case '\\':
          out_ += "\\\\";
          break;
        case '\n':
          out_ += "\\n";
          break;
        case '\r':
          out_ += "\\r";
          break;
        case '\t':
          out_ += "\\t";
          break;
        default:
          if (byte < 0x20 || byte == 0x7F) {
            out_ += "\\u00";
            out_ += kHex[byte >> 4];
            out_ += kHex[byte & 15];
          } else {
            out_ += static_cast<char>(byte);
          }
      }
      text.remove_prefix(1);
      continue;
    }
    if (const std::size_t length = Utf8Length(text); length > 0) {
      out_ += text.substr(0, length);
      text.remove_prefix(length);
    } else {
      out_ += "\xEF\xBF\xBD";
      text.remove_prefix(1);
    }
  }
  out_ += '"';
}

void JsonWriter::Int(std::int64_t value) {
  Separate();
  out_ += std::to_string(value);
}

void JsonWriter::Uint64Text(std::uint64_t value) {
  Separate();
  out_ += '"';
  out_ += std::to_string(value);
  out_ += '"';
}

void JsonWriter::Double(double value) {
  if (!std::isfinite(value)) return Null();
  Separate();
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  out_.append(text.data(), end.ptr);
}

void JsonWriter::Bool(bool value) {
  Separate();
  out_ += value ? "true" : "false";
}

void JsonWriter::Null() {
  Separate();
  out_ += "null";
}

void JsonWriter::RawMembers(std::string_view members) {
  if (members.empty()) return;
  Separate();
  out_ += members;
}

void JsonWriter::Raw(std::string_view json) {
  Separate();
  out_ += json;
}

}  // namespace hawser::admin
