// However a client's bytes are cut into reads, the parser finds the same commands in them.
// The first byte says how long a read is.

#include <algorithm>
#include <cstdlib>

#include "daemon/redis/resp_parser.h"
#include "tests/fuzz/fuzz.h"

using namespace hawser::redis;

namespace {

constexpr RespLimits kLimits{.args_max = 1000,
                             .bulk_length_max = 1 << 20,
                             .bulk_bytes_max = 1000,
                             .command_bytes_max = 4000,
                             .inline_bytes_max = 500};

// What was found, as text. `step`: bytes that arrive at a time.
std::string Parse(std::string bytes, std::size_t step) {
  std::string found;
  RespParser parser(kLimits);
  std::size_t begun = 0, end = 0;
  for (;;) {
    std::vector<std::string_view> args;
    const auto result = parser.Next(bytes.data() + begun, end - begun, args);
    if (result.consumed > end - begun) std::abort();
    begun += result.consumed;
    switch (result.state) {
      case RespParser::State::kMore:
        if (end == bytes.size()) return found;
        end = std::min(bytes.size(), end + step);
        break;
      case RespParser::State::kNothing:
        break;
      case RespParser::State::kCommand:
        for (const std::string_view arg : args) found.append(arg) += '\0';
        found += "\ncommand\n";
        break;
      case RespParser::State::kTooBig:
        found += "too big\n";
        break;
      case RespParser::State::kError:
        return found + parser.error();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (Parse(bytes, bytes.size() + 1) != Parse(bytes, 1 + data[0] % 64)) std::abort();
  return 0;
}

std::vector<std::string> hawser::test::FuzzSeeds() {
  return {
      std::string("\0*3\r\n$3\r\nSET\r\n$4\r\nuser\r\n$2\r\n42\r\n", 33),
      "\x05*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$0\r\n\r\n",
      "\x03PING\r\nset a \"b\\x41\\n\" 'c'\r\n\r\nget a\n",
      "\x11*0\r\n*-1\r\n*2\r\n$4\r\nECHO\r\n$1200\r\n" + std::string(1200, 'e') + "\r\n",
      "\x07*1\r\n$-1\r\n",
      "\x40*1000000000\r\n$3\r\n",
  };
}
