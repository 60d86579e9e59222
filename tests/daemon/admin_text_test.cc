#include "daemon/admin/text.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

#include "daemon/admin/record_json.h"
#include "daemon/admin/target.h"

using namespace hawser;
using namespace hawser::admin;

TEST_CASE("times go to text and back") {
  CHECK(FormatTime(0) == "1970-01-01T00:00:00.000Z");
  CHECK(FormatTime(1709210096789) == "2024-02-29T12:34:56.789Z");
  CHECK(FormatTime(INT64_MAX) == "9999-12-31T23:59:59.999Z");
  CHECK(ParseTime("2024-02-29T12:34:56.789Z") == 1709210096789);
  CHECK(ParseTime("2024-02-29t14:34:56.7891234+02:00") == 1709210096789);
  CHECK(ParseTime("2024-02-29 07:04:56.7-05:30") == 1709210096700);
  std::mt19937_64 random(3);
  for (int i = 0; i < 2000; ++i) {
    const auto ms = static_cast<std::int64_t>(random() % 253402300800000ULL);
    CHECK(ParseTime(FormatTime(ms)) == ms);
  }
  for (const char* bad : {"", "2024", "2024-02-30T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-01",
                          "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z", "2024-01-01T00:00:00",
                          "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00+25:00",
                          "2024-01-01T00:00:00Z ", "+024-01-01T00:00:00Z", "2024-01-01T00:00:0Z"}) {
    CAPTURE(bad);
    CHECK_FALSE(ParseTime(bad));
  }
}

TEST_CASE("UTF-8 is what RFC 3629 says and nothing more") {
  for (const char* good : {"", "a", "é", "€", "😀", "\xF4\x8F\xBF\xBF", "\xEF\xBF\xBE"}) {
    CHECK(IsUtf8(good));
  }
  for (const char* bad :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xC3", "\xE2\x82", "a\xFEz"}) {
    CHECK_FALSE(IsUtf8(bad));
  }
}

TEST_CASE("base64 and percent coding give back every byte") {
  std::mt19937_64 random(5);
  for (std::size_t length = 0; length < 100; ++length) {
    std::string bytes;
    for (std::size_t i = 0; i < length; ++i) bytes += static_cast<char>(random() % 256);
    CHECK(FromBase64(ToBase64(bytes)) == bytes);
    CHECK(FromBase64Url(ToBase64Url(bytes)) == bytes);
    CHECK(PercentDecode(PercentEncode(bytes)) == bytes);
  }
  CHECK(ToBase64("hello") == "aGVsbG8=");
  for (const char* bad :
       {"a", "ab", "abc", "ab=c", "=", "====", "a===", "aGVsbG9=", "aGVs bG8=", "aGVsbG8"}) {
    CAPTURE(bad);
    CHECK_FALSE(FromBase64(bad));
  }
  for (const char* bad : {"%", "%1", "%zz", "a%2", "%-1"}) CHECK_FALSE(PercentDecode(bad));
}

TEST_CASE("a target is split before it is decoded") {
  const auto target = ParseTarget("/v1/a%2Fb//%00?x=1+2%2B&y&z=%3D=");
  REQUIRE(target);
  CHECK(target->segments == std::vector<std::string>{"v1", "a/b", "", std::string(1, '\0')});
  CHECK(*target->Query("x") == "1 2+");
  CHECK(*target->Query("y") == "");
  CHECK(*target->Query("z") == "==");
  CHECK(target->Query("w") == nullptr);
  for (const char* bad :
       {"", "*", "v1", "http://x/v1", "/a#b", "/%", "/?a=%", "/?a=1&a=2", "/?%41=1&A=2"}) {
    CAPTURE(bad);
    CHECK_FALSE(ParseTarget(bad));
  }
  CHECK_FALSE(ParseTarget("/" + std::string(20, '/')));
}

TEST_CASE("a version tells apart what the largest cell version alone cannot") {
  const auto cell = [](std::string_view value, std::uint64_t stamp, int region) {
    Cell made;
    made.null = false;
    made.value = value;
    made.version = {Stamp{stamp << 16}, RegionId{static_cast<std::uint8_t>(region)}};
    return made;
  };
  Record one;
  one.At("a").cell = cell("1", 100, 1);
  one.At("a").has_cell = true;
  const std::string before = VersionText(one);
  CHECK(before.starts_with("100.0-1-"));

  // An older write of another region arrives late, on another field.
  Record late = one;
  late.At("b").cell = cell("2", 50, 2);
  late.At("b").has_cell = true;
  CHECK(VersionText(late).starts_with("100.0-1-"));
  CHECK(VersionText(late) != before);

  // A null that nobody sees changes nothing.
  Record nulled = one;
  nulled.At("c").cell.version = {Stamp{50}, RegionId{2}};
  nulled.At("c").has_cell = true;
  CHECK(VersionText(nulled) == before);
}
