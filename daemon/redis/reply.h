#pragma once

// Reply: writes RESP2 or RESP3 to the end of a string. What RESP2 lacks is written as its nearest
// kin: a map as a flat array, a set or push as an array, a double as a bulk string.
// Threads: one owner. The string must outlive it.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hawser::redis {

class Reply {
 public:
  Reply(std::string& out, int protocol) : out_(&out), protocol_(protocol) {}

  void Raw(std::string_view bytes) { out_->append(bytes); }
  void Ok() { out_->append("+OK\r\n"); }
  void Simple(std::string_view text);
  // `text` begins with the stable word; line breaks in it become blanks.
  void Error(std::string_view text);
  void Int(std::int64_t number);
  void Bulk(std::string_view bytes);
  void Null() { out_->append(protocol_ == 3 ? "_\r\n" : "$-1\r\n"); }
  void NullArray() { out_->append(protocol_ == 3 ? "_\r\n" : "*-1\r\n"); }
  void Double(std::string_view text);  // already formatted
  void Verbatim(std::string_view text);
  void Array(std::size_t count) { Header('*', count); }
  void Map(std::size_t pairs) { protocol_ == 3 ? Header('%', pairs) : Header('*', pairs * 2); }
  void Set(std::size_t count) { Header(protocol_ == 3 ? '~' : '*', count); }
  void Push(std::size_t count) { Header(protocol_ == 3 ? '>' : '*', count); }

  int protocol() const { return protocol_; }
  void SetProtocol(int protocol) { protocol_ = protocol; }
  std::size_t size() const { return out_->size(); }
  void CutBackTo(std::size_t size) { out_->resize(size); }

 private:
  void Header(char type, std::size_t count);

  std::string* out_;
  int protocol_;
};

}  // namespace hawser::redis
