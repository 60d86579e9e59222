// Any bytes as a request's JSON or as a configuration file's TOML are read or refused, and what
// was read is within the bounds promised. The first byte: even, JSON; odd, TOML.

#include <algorithm>
#include <cstdlib>

#include "daemon/admin/json.h"
#include "daemon/config/document.h"
#include "tests/fuzz/fuzz.h"

using namespace hawser;

namespace {

void Expect(bool holds) {
  if (!holds) std::abort();
}

void CheckJson(const admin::Json& json, std::size_t depth) {
  Expect(depth <= admin::kJsonDepthMax);
  if (const auto* array = json.As<admin::JsonArray>()) {
    for (const admin::Json& item : *array) CheckJson(item, depth + 1);
  } else if (const auto* object = json.As<admin::JsonObject>()) {
    for (const admin::JsonMember& member : *object) {
      Expect(admin::Find(*object, member.first) == &member.second);  // no name comes twice
      CheckJson(member.second, depth + 1);
    }
  }
}

void CheckToml(const config::Node& node) {
  for (const config::Node& item : node.items) CheckToml(item);
  for (const config::Member& member : node.members) {
    Expect(node.Find(member.first) == &member.second);
    CheckToml(member.second);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 0) {
    if (const auto json = admin::ParseJson(text)) CheckJson(*json, 0);
  } else if (const auto document = config::ParseToml(text)) {
    CheckToml(*document);
  } else {
    Expect(!document.error().text.empty());
  }
  return 0;
}

std::vector<std::string> hawser::test::FuzzSeeds() {
  return {
      R"( {"fields":{"a":1,"b":-2.5e3,"c":"\u00e9\ud83d\ude00","d":null,"e":[true,false,{}]}})",
      R"( [[[[]]],"",18446744073709551616,-9223372036854775808,1e400])",
      R"( {"atomic":true,"writes":[{"put":{"table":"t","key":"k","value":{"base64":"AAEC"}}}]})",
      "\x01[node]\nregion = \"eu\"\nid = 3\n[[peer]]\nname = \"us\"\nurl = 'nats://h:4222'\n",
      "\x01"
      "a.b = [1, 2.5, true, 1979-05-27T07:32:00Z]\nc = \"\"\"\nmany\nlines\"\"\"\n",
      "\x01x = { y = 0x1f, z = \"\\u00e9\" } # why\n",
  };
}
