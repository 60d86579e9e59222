#include <string>

#include "tests/daemon/admin_fixture.h"

using namespace hawser;
using namespace hawser::admin;

TEST_CASE("homes are listed by table and prefix, page by page, each once") {
  FakeEngineOptions options;
  options.schema.tables["customers"].placement = "homed";
  options.schema.tables["other"].placement = "homed";
  Admin admin(TestOptions(), options);
  for (const char* key : {"a1", "a2", "a3", "b1", "{a2}x"}) {
    admin.Json("PUT", std::string("/v1/tables/customers/records/") + key,
               R"({"fields":{"a":"1"}})");
  }
  admin.Json("PUT", "/v1/tables/other/records/a9", R"({"fields":{"a":"1"}})");
  std::string seen, query = "/v1/homes?table=customers&prefix=a&limit=2";
  int pages = 0;
  for (std::string token = "first"; !token.empty() && pages < 5; ++pages) {
    const Reply page = admin.Call("GET", query);
    REQUIRE(page.status == 200);
    for (int i = 0; i < 2; ++i) {
      const std::string at = "homes." + std::to_string(i);
      if (At(page.body, at + ".unit").empty()) continue;
      seen += At(page.body, at + ".unit") + "@" + At(page.body, at + ".home") + " ";
      CHECK(At(page.body, at + ".state") == "pending");
    }
    token = At(page.body, "next_page_token");
    query = "/v1/homes?table=customers&prefix=a&limit=2&page_token=" + token;
  }
  CHECK(seen == "a1@us-east a2@us-east a3@us-east ");
  CHECK(pages == 2);
  CHECK(admin.Call("GET", "/v1/homes").status == 400);
  CHECK(admin.Call("GET", "/v1/homes?table=plain").status == 404);
  CHECK(admin.Call("GET", "/v1/homes?table=customers&limit=0").status == 400);
  CHECK(admin.Call("GET", "/v1/homes?table=customers&page_token=junk").status == 400);
}
