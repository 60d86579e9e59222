#pragma once

// RespParser: cuts a byte stream into commands: RESP arrays of bulk strings, or inline lines.
// It owns no bytes. Arguments are views into the caller's buffer; inline lines with quotes are
// unescaped in place. Nothing is allocated before the length that asks for it was checked.
// Threads: one owner.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hawser::redis {

struct RespLimits {
  std::uint64_t args_max = 1024 * 1024;                // per command; more is a protocol error
  std::uint64_t bulk_length_max = 512 * 1024 * 1024;   // announced; more is a protocol error
  std::uint64_t bulk_bytes_max = 8 * 1024 * 1024;      // one argument; more is read past: kTooBig
  std::uint64_t command_bytes_max = 16 * 1024 * 1024;  // all arguments; more is read past: kTooBig
  std::uint64_t inline_bytes_max = 64 * 1024;
};

// Before a client has authenticated it may say little (AUTH, HELLO).
RespLimits UnauthenticatedLimits();

class RespParser {
 public:
  enum class State {
    kMore,     // incomplete: call again with the same start and more bytes behind
    kNothing,  // an empty line or array was passed over
    kCommand,  // one command; its arguments were appended
    kTooBig,   // a complete command beyond the byte limits was passed over
    kError,    // no RESP: answer error() and close; the parser is of no more use
  };
  struct Result {
    State state = State::kMore;
    std::size_t consumed = 0;  // bytes from the start that are done with, kMore too
  };

  explicit RespParser(const RespLimits& limits) : limits_(limits) {}
  void SetLimits(const RespLimits& limits) { limits_ = limits; }

  // Reads one command at `data`. After kMore the next call must start `consumed` bytes further, at
  // the same unfinished command. The appended views live as long as the buffer.
  Result Next(char* data, std::size_t size, std::vector<std::string_view>& args);
  // Forgets an unfinished command, so that its bytes can be read again from its start.
  void Restart();

  const std::string& error() const { return error_; }

 private:
  struct Slice {
    std::size_t offset = 0;
    std::size_t size = 0;
  };
  enum class Line { kMore, kNumber, kError };

  Result Fail(std::string text);
  Result More();
  Line ReadNumber(const char* data, std::size_t size, const char* what, std::int64_t& number);
  Result Inline(char* data, std::size_t size, std::vector<std::string_view>& args);

  RespLimits limits_;
  bool in_array_ = false;
  bool dropping_ = false;  // beyond a byte limit: bytes are passed over, not kept
  bool in_bulk_ = false;
  std::size_t at_ = 0;      // bytes of the unfinished command that were read
  std::uint64_t left_ = 0;  // arguments still to come
  std::uint64_t bulk_ =
      0;  // length of the argument being read (while dropping: what is left of it)
  std::uint64_t bytes_ = 0;
  std::vector<Slice> slices_;
  std::string error_;
};

}  // namespace hawser::redis
