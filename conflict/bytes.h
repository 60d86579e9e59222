#pragma once

// The alphabet of our own formats: unsigned LEB128 varints, zigzag for signed numbers, fixed 64-bit
// little endian, and texts preceded by their length. Shared by txns, rows, blocks.
// Reading never trusts a length: a ByteReader that meets a bad one stops, says !ok() and gives
// zeros.

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "conflict/assert.h"

namespace hawser {

inline void PutVarint(std::string& out, std::uint64_t value) {
  if (value < 0x80) return out.push_back(static_cast<char>(value));  // nearly always
  char buffer[10];
  std::size_t n = 0;
  while (value >= 0x80) {
    buffer[n++] = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  buffer[n++] = static_cast<char>(value);
  out.append(buffer, n);
}
inline void PutZigzag(std::string& out, std::int64_t value) {
  PutVarint(out,
            (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
}
inline void PutFixed64(std::string& out, std::uint64_t value) {
  static_assert(std::endian::native == std::endian::little);
  char buffer[8];
  std::memcpy(buffer, &value, 8);
  out.append(buffer, 8);
}
inline void PutByte(std::string& out, std::uint8_t value) {
  out.push_back(static_cast<char>(value));
}
inline void PutText(std::string& out, std::string_view text) {
  PutVarint(out, text.size());
  out.append(text);
}

// Writes into room whose size was bounded beforehand: what the hot encoders use. REQUIRES: the
// bound holds (AppendBounded asserts it afterwards).
class ByteWriter {
 public:
  explicit ByteWriter(char* at) : at_(at) {}
  char* at() const { return at_; }

  void Byte(std::uint8_t value) { *at_++ = static_cast<char>(value); }
  void Varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) *at_++ = static_cast<char>(value | 0x80);
    *at_++ = static_cast<char>(value);
  }
  void Zigzag(std::int64_t value) {
    Varint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }
  void Fixed64(std::uint64_t value) {
    std::memcpy(at_, &value, 8);
    at_ += 8;
  }
  void Text(std::string_view text) {
    Varint(text.size());
    if (text.empty()) return;
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }

 private:
  char* at_;
};
inline constexpr std::size_t kVarintBytesMax = 10;

// Appends what `write(ByteWriter&)` writes, at most `bytes_max`.
template <typename Write>
void AppendBounded(std::string& out, std::size_t bytes_max, const Write& write) {
  const std::size_t before = out.size();
  out.resize_and_overwrite(before + bytes_max, [&](char* data, std::size_t size) {
    ByteWriter writer(data + before);
    write(writer);
    const auto written = static_cast<std::size_t>(writer.at() - data);
    HW_ASSERT(written <= size);
    return written;
  });
}

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes)
      : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool ok() const { return ok_; }
  bool done() const { return ok_ && at_ == end_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

  std::uint8_t Byte() {
    if (at_ == end_) return Fail();
    return static_cast<std::uint8_t>(*at_++);
  }
  std::uint64_t Varint() {
    if (at_ != end_ && static_cast<std::uint8_t>(*at_) < 0x80) {  // nearly always
      return static_cast<std::uint8_t>(*at_++);
    }
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (at_ == end_) return Fail();
      const auto byte = static_cast<std::uint8_t>(*at_++);
      if (shift == 63 && byte > 1) return Fail();
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (byte == 0 && shift > 0) return Fail();  // not the shortest form
        return value;
      }
    }
    return Fail();
  }
  std::int64_t Zigzag() {
    const std::uint64_t raw = Varint();
    return static_cast<std::int64_t>((raw >> 1) ^ (~(raw & 1) + 1));
  }
  std::uint64_t Fixed64() {
    if (left() < 8) return Fail();
    std::uint64_t value;
    std::memcpy(&value, at_, 8);
    at_ += 8;
    return value;
  }
  std::string_view Bytes(std::uint64_t size) {
    if (size > left()) {
      Fail();
      return {};
    }
    const std::string_view text(at_, static_cast<std::size_t>(size));
    at_ += size;
    return text;
  }
  std::string_view Text() { return Bytes(Varint()); }
  // A count of items that take at least one byte each: more than what is left is a lie.
  std::size_t Count() {
    const std::uint64_t count = Varint();
    return count <= left() ? static_cast<std::size_t>(count) : Fail();
  }

 private:
  std::uint8_t Fail() {
    ok_ = false;
    at_ = end_;
    return 0;
  }

  const char* at_;
  const char* end_;
  bool ok_ = true;
};

}  // namespace hawser
