#include "daemon/admin/json.h"

#include <doctest/doctest.h>

#include <string>

#include "daemon/admin/json_writer.h"
#include "daemon/admin/text.h"

using namespace hawser::admin;

TEST_CASE("JSON of every kind is read") {
  const auto json =
      ParseJson(R"( {"a":[1,-2,3.5,1e2,true,false,null,"x\u00e9\ud83d\ude00"],"b":{}} )");
  REQUIRE(json);
  const auto* object = json->As<JsonObject>();
  REQUIRE(object);
  const auto* array = Find(*object, "a")->As<JsonArray>();
  REQUIRE(array);
  REQUIRE(array->size() == 8);
  CHECK(*(*array)[1].As<std::int64_t>() == -2);
  CHECK((*array)[3].As<JsonFloat>()->value == 100);
  CHECK((*array)[6].IsNull());
  CHECK(*(*array)[7].As<std::string>() == "xé😀");
  CHECK(Find(*object, "c") == nullptr);
}

TEST_CASE("whole numbers stay whole up to 64 bits, and larger ones say so") {
  CHECK(*ParseJson("9223372036854775807")->As<std::int64_t>() == INT64_MAX);
  CHECK(*ParseJson("-9223372036854775808")->As<std::int64_t>() == INT64_MIN);
  CHECK(ParseJson("9223372036854775808")->As<JsonFloat>()->text == "9223372036854775808");
  CHECK(ParseJson("18446744073709551616")->As<JsonFloat>()->text == "18446744073709551616");
  CHECK_FALSE(ParseJson("1e999"));
}

TEST_CASE("what is no JSON is an error, never a guess") {
  for (const char* bad : {"",
                          " ",
                          "{",
                          "[1,]",
                          "{\"a\":1,}",
                          "NaN",
                          "Infinity",
                          "-",
                          "01",
                          "+1",
                          ".5",
                          "1.",
                          "'a'",
                          "\"\n\"",
                          "\"\\x\"",
                          "nul",
                          "[1 2]",
                          "{\"a\" 1}",
                          "{1:2}",
                          "1 2",
                          "\"\xFF\"",
                          "\"\xED\xA0\x80\"",
                          "\xEF\xBB\xBF{}",
                          "/**/1",
                          "\"a",
                          "{\"a\":1,\"a\":2}",
                          "[[1]",
                          "\"\\ud800\"",
                          "\"\\udc00x\""}) {
    CAPTURE(bad);
    const auto json = ParseJson(bad);
    CHECK_FALSE(json);
    if (!json) CHECK(IsUtf8(json.error()));
  }
  CHECK_FALSE(ParseJson(std::string("1\0", 2)));
}

TEST_CASE("depth and number of values are bounded") {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  CHECK(ParseJson(nested(kJsonDepthMax)));
  CHECK_FALSE(ParseJson(nested(kJsonDepthMax + 1)));
  CHECK_FALSE(ParseJson(std::string(2'000'000, '[')));
  std::string many = "[0";
  for (std::size_t i = 0; i < kJsonNodesMax; ++i) many += ",0";
  CHECK_FALSE(ParseJson(many + "]"));
}

TEST_CASE("what is written can be read again, byte for byte") {
  std::string text;
  for (int i = 0; i < 128; ++i) text += static_cast<char>(i);
  text += "é😀";
  JsonWriter writer;
  writer.BeginArray();
  writer.String(text);
  writer.Double(0.1);
  writer.Double(1.0 / 0.0);
  writer.Uint64Text(~0ULL);
  writer.String("bad \xFF byte");
  writer.EndArray();
  const auto json = ParseJson(writer.Take());
  REQUIRE(json);
  const auto* array = json->As<JsonArray>();
  CHECK(*(*array)[0].As<std::string>() == text);
  CHECK((*array)[1].As<JsonFloat>()->value == 0.1);
  CHECK((*array)[2].IsNull());
  CHECK(*(*array)[3].As<std::string>() == "18446744073709551615");
  CHECK(*(*array)[4].As<std::string>() == "bad \xEF\xBF\xBD byte");
}
