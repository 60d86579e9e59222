#include "daemon/token.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <string>

using namespace hawser;

namespace {
Dot At(int region, std::uint64_t incarnation, std::uint64_t seq) {
  return Dot{Origin{RegionId{static_cast<std::uint8_t>(region)}, Incarnation{incarnation}},
             Seq{seq}};
}
}  // namespace

TEST_CASE("a token names exactly the cut it was made of") {
  const Cut cut{At(1, ~0ULL, 5), At(1, 7, ~0ULL), At(63, 1, 1)};
  const std::string token = EncodeToken(cut);
  CHECK(token.starts_with("h1:"));
  REQUIRE(DecodeToken(token));
  CHECK(*DecodeToken(token) == cut);
  CHECK(DecodeToken(EncodeToken(Cut{})) == Cut{});
}

TEST_CASE("what is no token is refused, whatever it is") {
  for (const char* bad : {"", "h1", "h2:", "h1:!", "h1:A", "h1:AAAA", "h1:AQ", "h1:AQE", "h1:AQEA",
                          "h1:QAEB", "h1:AQEB=", "h1:AQEB ", "H1:AQEB", "h1:AQEBAQEB"}) {
    CAPTURE(bad);
    CHECK_FALSE(DecodeToken(bad));
  }
  CHECK(DecodeToken("h1:AQEB") == Cut{At(1, 1, 1)});
  CHECK_FALSE(DecodeToken("h1:" + std::string(kTokenBytesMax, 'A')));
}

TEST_CASE("a damaged token is refused or is the one token of another cut") {
  std::mt19937_64 random(7);
  const std::string token =
      EncodeToken(Cut{At(1, random(), 900), At(2, random(), 1), At(9, 3, 70000)});
  int refused = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string damaged = token;
    damaged[random() % damaged.size()] = static_cast<char>(random() % 256);
    if (random() % 4 == 0) damaged.resize(random() % damaged.size());
    const std::optional<Cut> cut = DecodeToken(damaged);
    if (cut) {
      CHECK(EncodeToken(*cut) == damaged);
    } else {
      ++refused;
    }
  }
  CHECK(refused > 10000);
}
