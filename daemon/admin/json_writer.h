#pragma once

// JsonWriter: JSON text, written straight through. Puts the commas; the caller keeps Begin and End
// in pairs and gives a Key before every value inside an object.

#include <cstdint>
#include <string>
#include <string_view>

namespace hawser::admin {

class JsonWriter {
 public:
  void BeginObject() { Open('{'); }
  void EndObject() { Close('}'); }
  void BeginArray() { Open('['); }
  void EndArray() { Close(']'); }
  void Key(std::string_view name);

  // Bytes that are no UTF-8 become U+FFFD: for values that may hold any bytes see record_json.h.
  void String(std::string_view text);
  void Int(std::int64_t value);
  void Uint64Text(
      std::uint64_t value);   // 64-bit numbers are strings, for readers with doubles only
  void Double(double value);  // not finite: null
  void Bool(bool value);
  void Null();
  void Raw(std::string_view json);            // JSON already
  void RawMembers(std::string_view members);  // of an object, its brackets aside; may be empty

  void Member(std::string_view name, std::string_view text) {
    Key(name);
    String(text);
  }

  std::size_t size() const { return out_.size(); }
  std::string Take() { return std::move(out_); }

 private:
  void Separate();
  void Open(char bracket);
  void Close(char bracket);

  std::string out_;
  bool first_ = true;  // nothing yet inside the innermost bracket, or a key just came
};

}  // namespace hawser::admin
