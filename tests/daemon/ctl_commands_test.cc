#include <doctest/doctest.h>

#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

#include "daemon/ctl/commands.h"
#include "daemon/ctl/http.h"
#include "tests/daemon/ctl_fake_server.h"

namespace hawser::ctl {
namespace {

Options At(const FakeServer& server, Command command) {
  Options options;
  options.command = command;
  options.server = server.url();
  options.timeout_ms = 2000;
  return options;
}

// One peer whose lag is `seconds`, both ways.
std::string LagBody(const std::string& seconds, const std::string& link) {
  return R"({"region":"us-east","lag":[{"peer":"eu-west","direction":"outgoing","link":")" + link +
         R"(","behind_txns":"5","behind_bytes":"100","behind_seconds":)" + seconds + "}]}";
}

}  // namespace

TEST_CASE("each answer of the daemon has its exit code") {
  const std::pair<int, Exit> kTable[] = {
      {200, Exit::kOk},      {201, Exit::kOk},       {400, Exit::kRefused},  {401, Exit::kRefused},
      {403, Exit::kRefused}, {404, Exit::kNotFound}, {409, Exit::kRefused},  {412, Exit::kRefused},
      {413, Exit::kRefused}, {408, Exit::kTimedOut}, {504, Exit::kTimedOut}, {500, Exit::kFailed},
      {503, Exit::kFailed},  {507, Exit::kRefused}};
  for (const auto& [answered, exit] : kTable) {
    const int status = answered;
    CAPTURE(status);
    const FakeServer server([status](const std::string&) {
      return HttpAnswer(status, R"({"regions":[],"code":"X","detail":"because"})");
    });
    CHECK(Execute(At(server, Command::kRegionList)) == exit);
  }
}

TEST_CASE("a daemon that is not there is a failure, one that is silent a timeout") {
  Options options;
  options.command = Command::kCut;
  options.server = "http://127.0.0.1:1";
  CHECK(Execute(options) == Exit::kFailed);
  options.server = "file:///etc/passwd";
  CHECK(Execute(options) == Exit::kFailed);
  const FakeServer silent([](const std::string&) { return std::string(); });
  options.server = silent.url();
  options.timeout_ms = 200;
  CHECK(Execute(options) == Exit::kTimedOut);
}

TEST_CASE("something else that answers 200 is not taken for a hawserd") {
  const FakeServer server([](const std::string&) { return HttpAnswer(200, "<html>hello</html>"); });
  for (const Command command :
       {Command::kRegionList, Command::kLag, Command::kCut, Command::kConflictList,
        Command::kConflictShow, Command::kAuditList, Command::kAuditVerify}) {
    CHECK(Execute(At(server, command)) == Exit::kFailed);
  }
}

TEST_CASE("a lag over the bound is a condition not met, and within it none") {
  const FakeServer server([](const std::string&) { return HttpAnswer(200, LagBody("7.5", "up")); });
  Options options = At(server, Command::kLag);
  CHECK(Execute(options) == Exit::kOk);
  options.max_lag_ms = 5000;
  CHECK(Execute(options) == Exit::kConditionNotMet);
  options.max_lag_ms = 8000;
  CHECK(Execute(options) == Exit::kOk);
  options.max_lag_ms = 5000;
  options.wait_ms = 300;
  CHECK(Execute(options) == Exit::kTimedOut);
}

TEST_CASE("a link that is down is over every bound") {
  const FakeServer server([](const std::string&) { return HttpAnswer(200, LagBody("0", "down")); });
  Options options = At(server, Command::kLag);
  options.max_lag_ms = 1'000'000;
  CHECK(Execute(options) == Exit::kConditionNotMet);
}

TEST_CASE("with --wait the lag is asked for until it is within the bound") {
  std::atomic<int> asked{0};
  const FakeServer server([&asked](const std::string&) {
    return HttpAnswer(200, LagBody(++asked < 3 ? "9" : "0.1", "up"));
  });
  Options options = At(server, Command::kLag);
  options.max_lag_ms = 1000;
  options.wait_ms = 5000;
  CHECK(Execute(options) == Exit::kOk);
  CHECK(asked == 3);
}

TEST_CASE("a record is put with its fields, its condition and its wish for acknowledgement") {
  const FakeServer server([](const std::string&) {
    return HttpAnswer(
        200,
        R"({"result":"updated","version":"5.0-1","acks":{"asked":1,"reached":1,"degraded":false}})");
  });
  Options options = At(server, Command::kRecordPut);
  options.table = "users";
  options.key = "a/b c?";
  options.fields = {"name=Ann=e", "note="};
  options.if_match = "4.0-1";
  options.wait_ms = 1500;
  CHECK(Execute(options) == Exit::kOk);
  REQUIRE(server.requests().size() == 1);
  const std::string request = server.requests()[0];
  CHECK(request.starts_with("PUT /v1/tables/users/records/a%2Fb%20c%3F HTTP/1.1\r\n"));
  CHECK(request.find("If-Match: \"4.0-1\"\r\n") != std::string::npos);
  CHECK(request.find("Prefer: wait=2\r\n") != std::string::npos);
  CHECK(request.find("Hawser-Wait-Regions: all\r\n") != std::string::npos);
  CHECK(request.ends_with(R"({"fields":{"name":"Ann=e","note":""}})"));
}

TEST_CASE("a write that not every region has in time is told as such") {
  const FakeServer server([](const std::string&) {
    return HttpAnswer(
        200,
        R"({"result":"created","version":"5.0-1","acks":{"asked":2,"reached":1,"degraded":true}})");
  });
  Options options = At(server, Command::kRecordPut);
  options.table = "t";
  options.key = "k";
  options.value = "v";
  options.wait_ms = 1000;
  CHECK(Execute(options) == Exit::kTimedOut);
}

TEST_CASE("conflicts are asked for with their filter, and resolved with take and reason") {
  const FakeServer server([](const std::string& request) {
    if (request.starts_with("POST")) {
      return HttpAnswer(200, R"({"table":"t","key":"k","field":"","before":"a","after":"b"})");
    }
    return HttpAnswer(
        200,
        R"({"conflicts":[{"id":"1","field":null,"winner":{"value":null},"loser":{"value":"x"}}]})");
  });
  Options options = At(server, Command::kConflictList);
  options.filter_table = "a b";
  options.filter_kind = "delete";
  options.unresolved = true;
  CHECK(Execute(options) == Exit::kOk);
  CHECK(server.requests()[0].starts_with(
      "GET /v1/conflicts?limit=50&table=a%20b&kind=delete&resolved=false HTTP/1.1\r\n"));

  options = At(server, Command::kConflictResolve);
  options.conflict_id = "77";
  options.reason = "why \"not\"";
  CHECK(Execute(options) == Exit::kUsage);  // take what?
  options.take = "loser";
  options.dry_run = true;
  CHECK(Execute(options) == Exit::kOk);
  REQUIRE(server.requests().size() == 1);
  options.dry_run = false;
  options.if_match = "5.0-1";
  CHECK(Execute(options) == Exit::kOk);
  REQUIRE(server.requests().size() == 2);
  const std::string request = server.requests()[1];
  CHECK(request.starts_with("POST /v1/conflicts/77/resolution HTTP/1.1\r\n"));
  CHECK(request.find("If-Match: \"5.0-1\"\r\n") != std::string::npos);
  CHECK(request.ends_with(R"({"reason":"why \"not\"","take":"loser"})"));
}

TEST_CASE("the laboratory asks for every page of one field, and for nothing else") {
  const FakeServer server([](const std::string& request) {
    const bool first = request.find("page_token") == std::string::npos;
    return HttpAnswer(
        200, std::string(R"({"conflicts":[{"id":"1","key":"k","field":"f","winner":)") +
                 R"({"value":"1","version":"2.0-1"},"loser":{"value":"2","version":"1.0-2"}}])" +
                 (first ? R"(,"next_page_token":"t"})" : "}"));
  });
  Options options = At(server, Command::kConflictReplay);
  options.filter_table = "t";
  options.filter_field = "f";
  options.resolver = "nonsense";
  CHECK(Execute(options) == Exit::kUsage);
  CHECK(server.requests().empty());
  options.resolver = "max";
  CHECK(Execute(options) == Exit::kOk);
  REQUIRE(server.requests().size() == 2);
  for (const std::string& request : server.requests())
    CHECK(request.starts_with("GET /v1/conflicts?"));
  CHECK(server.requests()[1].find("page_token=t") != std::string::npos);
}

TEST_CASE("an audit log is verified page by page, and one that does not hold is a condition") {
  std::atomic<bool> broken{false};
  const FakeServer server([&broken](const std::string& request) {
    const bool first = request.find("page_token") == std::string::npos;
    const std::string chain = !first && broken ? R"("verified":false,"broken_at":"3")"
                                               : R"("verified":true,"broken_at":null)";
    return HttpAnswer(200, R"({"entries":[],"chain":{)" + chain + R"(,"length":"9"})" +
                               (first ? R"(,"next_page_token":"p2"})" : "}"));
  });
  CHECK(Execute(At(server, Command::kAuditVerify)) == Exit::kOk);
  CHECK(server.requests().size() == 2);
  broken = true;
  CHECK(Execute(At(server, Command::kAuditVerify)) == Exit::kConditionNotMet);
}

TEST_CASE("a dry run sends nothing") {
  const FakeServer server([](const std::string&) { return HttpAnswer(500, "{}"); });
  Options options = At(server, Command::kRecordPut);
  options.table = "t";
  options.key = "k";
  options.value = "v";
  options.dry_run = true;
  CHECK(Execute(options) == Exit::kOk);
  CHECK(server.requests().empty());
}

TEST_CASE("units of a prefix are moved one by one, those that are there already are left alone") {
  int refusals = 1;
  const FakeServer server([&refusals](const std::string& request) {
    if (request.starts_with("GET /v1/homes?table=t&prefix=a&limit=1000 ")) {
      return HttpAnswer(200, R"({"homes":[{"unit":"a1","home":"us-east","epoch":"0"},)"
                             R"({"unit":"a2","home":"eu-west","epoch":"1"}],)"
                             R"("next_page_token":"x"})");
    }
    if (request.starts_with("GET /v1/homes?table=t&prefix=a&limit=1000&page_token=x ")) {
      return HttpAnswer(200, R"({"homes":[{"unit":{"base64":"YTM="},"home":"us-east"}]})");
    }
    if (refusals > 0) {
      --refusals;
      return HttpAnswer(409, R"({"code":"TRYAGAIN","detail":"it has just moved"})");
    }
    return HttpAnswer(200, R"({"unit":"a","home":"eu-west","epoch":"1"})");
  });
  Options options = At(server, Command::kHomeMove);
  options.table = "t";
  options.prefix = "a";
  options.many = true;
  options.to_region = "eu-west";
  options.reason = "closer";
  options.moves_per_second = 100;
  CHECK(Execute(options) == Exit::kOk);
  const auto requests = server.requests();
  REQUIRE(requests.size() == 5);
  CHECK(requests[2].starts_with("PUT /v1/homes/t/a1 "));
  CHECK(requests[3].starts_with("PUT /v1/homes/t/a1 "));
  CHECK(requests[4].starts_with("PUT /v1/homes/t/a3 "));
  CHECK(requests[4].find(R"("region":"eu-west")") != std::string::npos);
  options.dry_run = true;
  CHECK(Execute(options) == Exit::kOk);
  CHECK(server.requests().size() == 7);
}

TEST_CASE("the token goes to the daemon from a file that only its owner reads") {
  const FakeServer server([](const std::string&) { return HttpAnswer(200, R"({"regions":[]})"); });
  char path[] = "/tmp/hawser-token-XXXXXX";
  close(mkstemp(path));
  std::ofstream(path) << "0123456789abcdef-canary\n";
  Options options = At(server, Command::kRegionList);
  options.token_file = path;

  chmod(path, 0600);
  CHECK(Execute(options) == Exit::kOk);
  CHECK(server.requests()[0].find("Authorization: Bearer 0123456789abcdef-canary\r\n") !=
        std::string::npos);

  chmod(path, 0644);
  CHECK(Execute(options) == Exit::kUsage);
  chmod(path, 0600);
  std::ofstream(path) << "short\n";
  CHECK(Execute(options) == Exit::kUsage);
  std::ofstream(path) << "0123456789abcdef\r\nX-Injected: 1\r\n";
  CHECK(Execute(options) == Exit::kUsage);
  unlink(path);
  CHECK(Execute(options) == Exit::kUsage);
  CHECK(server.requests().size() == 1);
}

}  // namespace hawser::ctl
