#include <string>

#include "daemon/token.h"
#include "tests/daemon/admin_fixture.h"

using namespace hawser;
using namespace hawser::admin;

TEST_CASE("what was put is what is got, with its version as ETag") {
  Admin admin;
  const Reply put = admin.Json("PUT", "/v1/tables/orders/records/42",
                               R"({"fields":{"status":"OPEN","note":"für Ünal"}})");
  CHECK(put.status == 201);
  CHECK(At(put.body, "result") == "created");
  CHECK(At(put.body, "dot.region") == "us-east");
  CHECK(At(put.body, "dot.seq") == "1");

  const Reply got = admin.Call("GET", "/v1/tables/orders/records/42");
  CHECK(got.status == 200);
  CHECK(got.Header("content-type") == "application/json");
  CHECK(At(got.body, "table") == "orders");
  CHECK(At(got.body, "key") == "42");
  CHECK(At(got.body, "fields.status") == "OPEN");
  CHECK(At(got.body, "fields.note") == "für Ünal");
  CHECK(got.Header("etag") == '"' + At(got.body, "version") + '"');
  CHECK(got.Header("etag") == put.Header("etag"));
  CHECK(
      admin.Call("GET", "/v1/tables/orders/records/42", "", {{"If-None-Match", got.Header("etag")}})
          .status == 304);
}

TEST_CASE("a raw body is the plain value and comes back raw, whatever its bytes") {
  Admin admin;
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  const Client::Headers raw{{"Content-Type", "application/octet-stream"}};
  CHECK(admin.Call("PUT", "/v1/tables/files/records/all", bytes, raw).status == 201);

  const Reply got = admin.Call("GET", "/v1/tables/files/records/all", "",
                               {{"Accept", "application/octet-stream"}});
  CHECK(got.status == 200);
  CHECK(got.Header("content-type") == "application/octet-stream");
  CHECK(got.body == bytes);
  const Reply json = admin.Call("GET", "/v1/tables/files/records/all", "", {{"Accept", "*/*"}});
  CHECK(At(json.body, "fields..base64").starts_with("AAECAwQFBgc"));

  // The same bytes again, as base64.
  const std::string base64 = At(json.body, "fields..base64");
  CHECK(admin
            .Json("PUT", "/v1/tables/files/records/copy",
                  R"({"fields":{"":{"base64":")" + base64 + R"("}}})")
            .status == 201);
  CHECK(admin
            .Call("GET", "/v1/tables/files/records/copy", "",
                  {{"Accept", "application/octet-stream"}})
            .body == bytes);

  admin.Json("PUT", "/v1/tables/files/records/named", R"({"fields":{"a":"1"}})");
  const Reply refused = admin.Call("GET", "/v1/tables/files/records/named", "",
                                   {{"Accept", "application/octet-stream"}});
  CHECK(refused.status == 406);
  CHECK(At(refused.body, "code") == "NOTPLAIN");
}

TEST_CASE("an empty value is a value") {
  Admin admin;
  CHECK(admin.Call("PUT", "/v1/tables/t/records/k", "", {{"Content-Type", "text/plain"}}).status ==
        201);
  const Reply got =
      admin.Call("GET", "/v1/tables/t/records/k", "", {{"Accept", "application/octet-stream"}});
  CHECK(got.status == 200);
  CHECK(got.body.empty());
}

TEST_CASE("keys and field names may hold any bytes") {
  Admin admin;
  const std::string path = "/v1/tables/t/records/a%2Fb%00%FF%25+%20";
  CHECK(
      admin
          .Json("PUT", path,
                R"({"binary_fields":[{"name":{"base64":"/w=="},"value":"x"}],"fields":{"é":"y"}})")
          .status == 201);
  const Reply got = admin.Call("GET", path);
  CHECK(got.status == 200);
  CHECK(At(got.body, "key.base64") == "YS9iAP8lKyA=");
  CHECK(At(got.body, "binary_fields.0.name.base64") == "/w==");
  CHECK(At(got.body, "binary_fields.0.value") == "x");
  CHECK(At(got.body, "fields.é") == "y");
  CHECK(admin.Call("GET", "/v1/tables/t/records/a").status == 404);
}

TEST_CASE("what is not there is a problem that says so") {
  Admin admin;
  const Reply got = admin.Call("GET", "/v1/tables/t/records/none");
  CHECK(got.status == 404);
  CHECK(got.Header("content-type") == "application/problem+json");
  CHECK(At(got.body, "type") == "urn:hawser:notfound");
  CHECK(At(got.body, "code") == "NOTFOUND");
  CHECK(At(got.body, "status") == "404");
  CHECK(At(got.body, "request_id") == got.Header("hawser-request-id"));
  CHECK_FALSE(got.Header("hawser-token").empty());
}

TEST_CASE("names out of bounds are refused before anything is asked") {
  Admin admin;
  for (const char* table : {"!conflicts", "%2Fx", "a%00b", "", "-a"}) {
    CAPTURE(table);
    const Reply got = admin.Call("GET", "/v1/tables/" + std::string(table) + "/records/k");
    CHECK(got.status == 400);
    CHECK(At(got.body, "code") == "BADTABLE");
  }
  const std::string fits(480 - 1, 'k');
  CHECK(admin.Call("GET", "/v1/tables/t/records/" + fits).status == 404);
  const Reply over =
      admin.Json("PUT", "/v1/tables/t/records/" + fits + "k", R"({"fields":{"":"x"}})");
  CHECK(over.status == 413);
  CHECK(At(over.body, "code") == "TOOBIG");
}

TEST_CASE("HEAD shows the headers of GET and no body") {
  Admin admin;
  admin.Json("PUT", "/v1/tables/t/records/k", R"({"fields":{"":"x"}})");
  const Reply got = admin.Call("GET", "/v1/tables/t/records/k");
  const Reply head = admin.Call("HEAD", "/v1/tables/t/records/k");
  CHECK(head.status == 200);
  CHECK(head.Header("etag") == got.Header("etag"));
  CHECK(head.Header("content-length") == std::to_string(got.body.size()));
  CHECK(head.body.empty());
  CHECK(admin.Call("GET", "/livez").status == 200);  // the connection is in step
}

TEST_CASE("a list walks all live records once, page by page, in byte order") {
  Admin admin;
  for (int i = 0; i < 25; ++i) {
    const std::string key = "user:" + std::to_string(100 + i);
    admin.Json("PUT", "/v1/tables/t/records/" + key, R"({"fields":{"n":")" + key + "\"}}");
  }
  admin.Json("PUT", "/v1/tables/t/records/other", R"({"fields":{"":"x"}})");
  admin.Json("PUT", "/v1/tables/t2/records/user:1", R"({"fields":{"":"x"}})");
  admin.Call("DELETE", "/v1/tables/t/records/user:107");

  std::vector<std::string> keys;
  std::string query = "?prefix=user:&limit=7";
  for (int page = 0; page < 10; ++page) {
    const Reply got = admin.Call("GET", "/v1/tables/t/records" + query);
    REQUIRE(got.status == 200);
    for (int i = 0; i < 7; ++i) {
      const std::string key = At(got.body, "records." + std::to_string(i) + ".key");
      if (!key.empty()) keys.push_back(key);
    }
    const std::string next = At(got.body, "next_page_token");
    if (next.empty()) break;
    query = "?prefix=user:&limit=7&page_token=" + next;
  }
  std::vector<std::string> wanted;
  for (int i = 0; i < 25; ++i) {
    if (i != 7) wanted.push_back("user:" + std::to_string(100 + i));
  }
  CHECK(keys == wanted);

  const Reply from = admin.Call("GET", "/v1/tables/t/records?start=user:124");
  CHECK(At(from.body, "records.0.key") == "user:124");
  CHECK(At(from.body, "records.1.key").empty());
  CHECK(At(admin.Call("GET", "/v1/tables/empty/records").body, "records.0.key").empty());
}

TEST_CASE("a page ends by its size, and the rest follows") {
  Admin admin;
  const std::string value(400'000, 'v');
  for (const char* key : {"a", "b", "c", "d", "e"}) {
    admin.Call("PUT", "/v1/tables/t/records/" + std::string(key), value,
               {{"Content-Type", "text/plain"}});
  }
  const Reply first = admin.Call("GET", "/v1/tables/t/records");
  CHECK(first.body.size() < 1'800'000);
  CHECK(At(first.body, "records.2.key") == "c");
  CHECK(At(first.body, "records.3.key").empty());
  const std::string next = At(first.body, "next_page_token");
  const Reply second = admin.Call("GET", "/v1/tables/t/records?page_token=" + next);
  CHECK(At(second.body, "records.0.key") == "d");
  CHECK(At(second.body, "records.1.key") == "e");
  CHECK(At(second.body, "next_page_token").empty());
}

TEST_CASE("list parameters out of bounds are refused") {
  Admin admin;
  for (const char* query : {"?limit=0", "?limit=1001", "?limit=x", "?limit=-1", "?limit=",
                            "?page_token=!", "?page_token=AAAA", "?nosuch=1", "?limit=1&limit=2"}) {
    CAPTURE(query);
    CHECK(admin.Call("GET", "/v1/tables/t/records" + std::string(query)).status == 400);
  }
}

TEST_CASE("an expired record is not there") {
  Admin admin;
  const Reply put = admin.Json("PUT", "/v1/tables/t/records/k",
                               R"({"fields":{"":"x"},"expires_at":"2999-01-01T00:00:00Z"})");
  CHECK(put.status == 201);
  const Reply got = admin.Call("GET", "/v1/tables/t/records/k");
  CHECK(At(got.body, "expires_at") == "2999-01-01T00:00:00.000Z");
  admin.Json("PATCH", "/v1/tables/t/records/k", R"({"expires_at":"2001-01-01T00:00:00+01:00"})");
  CHECK(admin.Call("GET", "/v1/tables/t/records/k").status == 404);
  CHECK(At(admin.Call("GET", "/v1/tables/t/records").body, "records.0.key").empty());
}

TEST_CASE("a token from elsewhere is waited for, and not for ever") {
  Admin admin;
  admin.Json("PUT", "/v1/tables/t/records/k", R"({"fields":{"":"x"}})");
  const std::string own = admin.Call("GET", "/v1/cut").Header("hawser-token");
  CHECK(admin.Call("GET", "/v1/tables/t/records/k", "", {{"Hawser-Token", own}}).status == 200);

  const Cut ahead{Dot{Origin{RegionId{2}, Incarnation{5}}, Seq{9}}};
  const std::string token = EncodeToken(ahead);
  for (const char* path : {"/v1/tables/t/records/k", "/v1/tables/t/records"}) {
    const Reply late = admin.Call("GET", path, "", {{"Hawser-Token", token}});
    CHECK(late.status == 503);
    CHECK(At(late.body, "code") == "TOKEN_NOT_REACHED");
    CHECK(late.Header("retry-after") == "1");
  }
  const Reply late_write = admin.Json("PUT", "/v1/tables/t/records/k", R"({"fields":{"":"y"}})",
                                      {{"Hawser-Token", token}});
  CHECK(late_write.status == 503);
  CHECK(At(admin.Call("GET", "/v1/tables/t/records/k").body, "fields.") == "x");
  const Reply bad = admin.Call("GET", "/v1/tables/t/records/k", "", {{"Hawser-Token", "h1:!"}});
  CHECK(bad.status == 400);
  CHECK(At(bad.body, "code") == "BADTOKEN");
}
