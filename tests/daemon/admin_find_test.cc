// GET /v1/tables/{table}/records?field=&value=: records by the value of an indexed field.

#include "storage/declare.h"
#include "tests/daemon/admin_fixture.h"

namespace hawser::admin {
namespace {

void DeclareIndex(Admin& admin, const std::string& field) {
  Schema schema;
  schema.tables["customers"].index.insert(field);
  admin.engine.WriteElsewhere(
      RegionId{2}, [&](LocalTxn& txn) { REQUIRE(Declare(schema, txn).contradictions.empty()); });
}

int Put(Admin& admin, const std::string& key, const std::string& email) {
  return admin
      .Json("PUT", "/v1/tables/customers/records/" + key,
            R"({"fields":{"email":")" + email + "\"}}")
      .status;
}

TEST_CASE("records are found by the value of an indexed field, page by page") {
  Admin admin;
  DeclareIndex(admin, "email");
  for (const char* key : {"3", "1", "2"}) CHECK(Put(admin, key, "a@x") == 201);
  CHECK(Put(admin, "4", "b@x") == 201);

  const std::string path = "/v1/tables/customers/records?field=email&value=a%40x";
  const Reply all = admin.Call("GET", path);
  CHECK(all.status == 200);
  CHECK(At(all.body, "records.0.key") == "1");
  CHECK(At(all.body, "records.2.fields.email") == "a@x");
  CHECK(At(all.body, "records.3.key").empty());
  CHECK(At(all.body, "next_page_token").empty());
  CHECK(all.Header("hawser-token") != "");

  const Reply first = admin.Call("GET", path + "&limit=2");
  CHECK(At(first.body, "records.1.key") == "2");
  CHECK(At(first.body, "records.2.key").empty());
  const Reply second =
      admin.Call("GET", path + "&limit=2&page_token=" + At(first.body, "next_page_token"));
  CHECK(At(second.body, "records.0.key") == "3");
  CHECK(At(second.body, "records.1.key").empty());
  CHECK(At(second.body, "next_page_token").empty());

  CHECK(Put(admin, "2", "b@x") == 200);
  CHECK(At(admin.Call("GET", path).body, "records.1.key") == "3");
}

TEST_CASE("a lookup that cannot be answered says what to do") {
  Admin admin;
  const std::string path = "/v1/tables/customers/records?";
  const Reply none = admin.Call("GET", path + "field=email&value=x");
  CHECK(none.status == 422);
  CHECK(At(none.body, "code") == "NOINDEX");
  CHECK(At(none.body, "detail").find("it has none at all") != std::string::npos);

  DeclareIndex(admin, "email");
  const Reply building = admin.Call("GET", path + "field=email&value=x");
  CHECK(building.status == 503);
  CHECK(At(building.body, "code") == "TRYAGAIN");
  CHECK(building.Header("retry-after") == "1");
  CHECK(Put(admin, "1", "y") == 201);  // and a piece of upkeep
  CHECK(admin.Call("GET", path + "field=email&value=y").status == 200);

  for (const char* bad :
       {"field=email", "value=x", "field=email&value=x&prefix=1", "field=email&value=x&start=1",
        "field=email&value=x&limit=0", "field=email&value=x&page_token=zz"}) {
    CAPTURE(bad);
    CHECK(admin.Call("GET", path + bad).status == 400);
  }
}

}  // namespace
}  // namespace hawser::admin
