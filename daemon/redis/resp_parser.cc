#include "daemon/redis/resp_parser.h"

#include <algorithm>
#include <cstring>

#include "daemon/redis/inline_args.h"

namespace hawser::redis {
namespace {

// "-9223372036854775808\r" is the longest number; what is longer is none.
constexpr std::size_t kNumberLineMax = 32;

bool ParseNumber(std::string_view text, std::int64_t& number) {
  std::size_t at = 0;
  const bool negative = !text.empty() && text[0] == '-';
  if (negative) at = 1;
  if (at == text.size() || text.size() - at > 18) return false;
  std::int64_t value = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c < '0' || c > '9') return false;
    value = value * 10 + (c - '0');
  }
  number = negative ? -value : value;
  return true;
}

}  // namespace

RespLimits UnauthenticatedLimits() {
  RespLimits limits;
  limits.args_max = 10;
  limits.bulk_length_max = 16 * 1024;
  limits.bulk_bytes_max = 16 * 1024;
  return limits;
}

void RespParser::Restart() {
  in_array_ = dropping_ = in_bulk_ = false;
  at_ = 0;
  slices_.clear();
  bytes_ = 0;
}

RespParser::Result RespParser::Fail(std::string text) {
  error_ = "ERR Protocol error: " + std::move(text);
  return {State::kError, 0};
}

RespParser::Result RespParser::More() {
  if (!dropping_) return {State::kMore, 0};
  const std::size_t consumed = at_;
  at_ = 0;
  return {State::kMore, consumed};
}

// Reads the digits of "*3\r\n" or "$3\r\n"; `at_` stands behind the type byte and moves past the
// line.
RespParser::Line RespParser::ReadNumber(const char* data, std::size_t size, const char* what,
                                        std::int64_t& number) {
  const char* begin = data + at_;
  const std::size_t have = std::min(size - at_, kNumberLineMax);
  const char* end = static_cast<const char*>(std::memchr(begin, '\n', have));
  if (end == nullptr) {
    if (have < kNumberLineMax) return Line::kMore;
    Fail(std::string("invalid ") + what);
    return Line::kError;
  }
  const std::size_t length = static_cast<std::size_t>(end - begin);
  if (length == 0 || begin[length - 1] != '\r' ||
      !ParseNumber(std::string_view(begin, length - 1), number)) {
    Fail(std::string("invalid ") + what);
    return Line::kError;
  }
  at_ += length + 1;
  return Line::kNumber;
}

RespParser::Result RespParser::Next(char* data, std::size_t size,
                                    std::vector<std::string_view>& args) {
  std::int64_t number = 0;
  if (!in_array_) {
    if (size == 0) return {State::kMore, 0};
    if (data[0] != '*') return Inline(data, size, args);
    at_ = 1;
    switch (ReadNumber(data, size, "multibulk length", number)) {
      case Line::kMore:
        return {State::kMore, 0};
      case Line::kError:
        return {State::kError, 0};
      case Line::kNumber:
        break;
    }
    if (number > 0 && static_cast<std::uint64_t>(number) > limits_.args_max) {
      return Fail(limits_.args_max <= 10 ? "unauthenticated multibulk length"
                                         : "invalid multibulk length");
    }
    if (number <= 0) {
      const std::size_t consumed = at_;
      Restart();
      return {State::kNothing, consumed};
    }
    in_array_ = true;
    left_ = static_cast<std::uint64_t>(number);
  }

  while (left_ > 0) {
    if (!in_bulk_) {
      if (at_ == size) return More();
      if (data[at_] != '$') {
        const char got = data[at_];
        return Fail(std::string("expected '$', got '") + (got >= 0x20 && got < 0x7f ? got : '?') +
                    "'");
      }
      const std::size_t line = at_++;
      switch (ReadNumber(data, size, "bulk length", number)) {
        case Line::kMore:
          at_ = line;
          return More();
        case Line::kError:
          return {State::kError, 0};
        case Line::kNumber:
          break;
      }
      if (number < 0 || static_cast<std::uint64_t>(number) > limits_.bulk_length_max) {
        return Fail(limits_.args_max <= 10 && number > 0 ? "unauthenticated bulk length"
                                                         : "invalid bulk length");
      }
      bulk_ = static_cast<std::uint64_t>(number);
      in_bulk_ = true;
      bytes_ += bulk_;
      if (!dropping_ && (bulk_ > limits_.bulk_bytes_max || bytes_ > limits_.command_bytes_max)) {
        dropping_ = true;
        slices_.clear();
      }
    }
    if (dropping_) {
      const std::uint64_t pass = std::min<std::uint64_t>(bulk_, size - at_);
      at_ += static_cast<std::size_t>(pass);
      bulk_ -= pass;
      if (bulk_ > 0 || size - at_ < 2) return More();
    } else if (size - at_ < bulk_ + 2) {
      return More();
    } else {
      slices_.push_back({at_, static_cast<std::size_t>(bulk_)});
      at_ += static_cast<std::size_t>(bulk_);
    }
    if (data[at_] != '\r' || data[at_ + 1] != '\n')
      return Fail("expected CRLF after a bulk string");
    at_ += 2;
    in_bulk_ = false;
    --left_;
  }

  const Result result{dropping_ ? State::kTooBig : State::kCommand, at_};
  for (const Slice& slice : slices_) args.emplace_back(data + slice.offset, slice.size);
  Restart();
  return result;
}

RespParser::Result RespParser::Inline(char* data, std::size_t size,
                                      std::vector<std::string_view>& args) {
  const std::size_t look =
      static_cast<std::size_t>(std::min<std::uint64_t>(size, limits_.inline_bytes_max));
  const char* end = static_cast<const char*>(std::memchr(data, '\n', look));
  if (end == nullptr) {
    if (size >= limits_.inline_bytes_max) return Fail("too big inline request");
    return {State::kMore, 0};
  }
  std::size_t length = static_cast<std::size_t>(end - data);
  const std::size_t consumed = length + 1;
  if (length > 0 && data[length - 1] == '\r') --length;
  const std::size_t before = args.size();
  if (!SplitInlineArgs(data, length, args)) return Fail("unbalanced quotes in request");
  return {args.size() == before ? State::kNothing : State::kCommand, consumed};
}

}  // namespace hawser::redis
