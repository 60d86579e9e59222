// Mutation tests: valid inputs with random damage, through everything that reads what a client
// sent. They look for crashes and hangs (run them under the asan preset), and that what is taken is
// what was said.

#include <doctest/doctest.h>

#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "daemon/admin/json.h"
#include "daemon/admin/record_json.h"
#include "daemon/admin/target.h"
#include "daemon/admin/text.h"
#include "daemon/admin/write_plan.h"
#include "tests/daemon/admin_fixture.h"

using namespace hawser;
using namespace hawser::admin;

namespace {

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed) {}

  std::string Damage(std::string text) {
    const std::size_t times = random_() % 4 == 0 ? 1 + random_() % 4 : 1;
    for (std::size_t i = 0; i < times; ++i) {
      const std::size_t at = text.empty() ? 0 : random_() % text.size();
      switch (random_() % 10) {
        case 0:
          if (!text.empty()) text[at] = static_cast<char>(random_() % 256);
          break;
        case 1:
          text.insert(at, 1, static_cast<char>(random_() % 256));
          break;
        case 2:
          text.erase(at, 1 + random_() % 8);
          break;
        case 3:
          text.insert(at, kPieces[random_() % std::size(kPieces)]);
          break;
        case 4:
          text.insert(at, text.substr(random_() % (text.size() + 1), random_() % 40));
          break;
        case 5:
          text.resize(at);
          break;
        default:  // the gentlest: another letter
          if (!text.empty() && text[at] >= 'a' && text[at] <= 'z') text[at] = 'q';
      }
    }
    return text;
  }
  std::size_t Pick(std::size_t count) { return random_() % count; }

 private:
  static constexpr const char* kPieces[] = {"{",
                                            "}",
                                            "[",
                                            "]",
                                            "\"",
                                            ":",
                                            ",",
                                            "null",
                                            "\\u0000",
                                            "\\ud800",
                                            "1e999",
                                            "-",
                                            "9223372036854775808",
                                            "%",
                                            "%00",
                                            "%2",
                                            "/",
                                            "?",
                                            "&",
                                            "=",
                                            "+",
                                            "\xFF",
                                            "\xC0\x80",
                                            "\xED\xA0\x80",
                                            "base64",
                                            "\r\n",
                                            "\r\n\r\n",
                                            "Content-Length: 5\r\n",
                                            "Transfer-Encoding: chunked\r\n",
                                            " HTTP/1.1",
                                            "0\r\n\r\n"};
  std::mt19937_64 random_;
};

const std::vector<std::string> kBodies = {
    R"({"fields":{"a":"1","b":{"base64":"AAEC"},"":"é"},"expires_at":"2999-01-01T00:00:00Z"})",
    R"({"fields":{"a":null,"b":"2"},"binary_fields":[{"name":{"base64":"/w=="},"value":"x"}]})",
    R"({"changes":[{"op":"put","table":"t","key":"k","fields":{"a":"1"},"if_absent":true},
        {"op":"incr","table":"t","key":"n","field":"f","by":-5,"if_version":"1.0-1-00"},
        {"op":"delete","table":"t","key":{"base64":"AA=="}},{"op":"incr","table":"t","key":"n","by":"1.5"}]})"};

HttpRequest WithBody(std::string body) {
  HttpRequest request;
  request.headers = {{"content-type", "application/json"}};
  request.body = std::move(body);
  return request;
}

}  // namespace

TEST_CASE("damaged bodies become a plan within the bounds or a problem with a text") {
  Mutator mutator(11);
  int planned = 0;
  int refused = 0;
  const auto judge = [&](const Problem& problem) {
    ++refused;
    CHECK(problem.status >= 400);
    CHECK_FALSE(problem.detail.empty());
    CHECK(ParseJson(ToResponse(problem).body));  // valid JSON, whatever the detail quotes
  };
  for (int i = 0; i < 60'000; ++i) {
    const std::string body = mutator.Damage(kBodies[mutator.Pick(kBodies.size())]);
    if (const auto json = ParseJson(body); !json) CHECK(IsUtf8(json.error()));
    const WriteOp op = mutator.Pick(2) == 0 ? WriteOp::kPut : WriteOp::kPatch;
    const auto change = PlanRecord(op, "t", "k", WithBody(body));
    if (change) {
      ++planned;
      for (const PlannedField& field : change->fields)
        CHECK((field.value || op == WriteOp::kPatch));
      CHECK((!change->fields.empty() || change->has_expiry));
    } else {
      judge(change.error());
    }
    const auto txn = PlanTxn(WithBody(body), 16);
    if (txn) {
      ++planned;
      CHECK((!txn->empty() && txn->size() <= 16));
      for (const PlannedChange& one : *txn) CHECK_FALSE(CheckNames(one.table, one.key));
    } else {
      judge(txn.error());
    }
  }
  CHECK(planned > 2000);  // else the damage is too great to reach anything
  CHECK(refused > 3000);
}

TEST_CASE("damaged targets are taken apart or refused") {
  Mutator mutator(12);
  int taken = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::string text =
        mutator.Damage("/v1/tables/orders/records/a%2Fb%00?prefix=x%20y&limit=10&page_token=a2V5");
    const auto target = ParseTarget(text);
    if (!target) {
      CHECK_FALSE(target.error().empty());
      continue;
    }
    ++taken;
    CHECK(target->segments.size() <= kSegmentsMax);
    CHECK(target->query.size() <= kQueryMax);
    std::string again;
    for (const std::string& segment : target->segments) again += "/" + PercentEncode(segment);
    CHECK(ParseTarget(again)->segments == target->segments);
  }
  CHECK(taken > 10'000);
}

TEST_CASE("damaged requests on the wire leave a server that answers") {
  Admin admin;
  Mutator mutator(13);
  const std::string valid[] = {
      "PUT /v1/tables/t/records/k HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: 20\r\n\r\n{\"fields\":{\"a\":\"1\"}}",
      "POST /v1/txn HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\n3d\r\n"
      "{\"changes\":[{\"op\":\"put\",\"table\":\"t\",\"key\":\"k\",\"fields\":{\"\":\"x\"}}]}"
      "\r\n0\r\n\r\n",
      "GET /v1/tables/t/records?limit=5&prefix=a HTTP/1.1\r\nHost: localhost\r\nHawser-Token: "
      "h1:AQEB\r\n"
      "Prefer: wait=0\r\nAccept: application/octet-stream\r\n\r\n"};
  int answered = 0;
  for (int i = 0; i < 1500; ++i) {
    Client client(admin.server->port());
    client.Send(mutator.Damage(valid[mutator.Pick(std::size(valid))]));
    client.FinishSending();
    const Reply reply = client.Read();
    if (reply.status != 0) ++answered;
    if (reply.status >= 400 && reply.status != 100) {
      CHECK(reply.Header("content-type") == "application/problem+json");
    }
  }
  CHECK(answered > 500);
  CHECK(admin.Call("GET", "/livez").status == 200);
}
