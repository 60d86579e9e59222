#include "daemon/ctl/commands.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <thread>

#include "daemon/config/load.h"
#include "daemon/config/secret.h"
#include "daemon/ctl/answers.h"
#include "daemon/ctl/http.h"

namespace hawser::ctl {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
using ToGrid = std::optional<Grid> (*)(std::string_view);

constexpr milliseconds kPollEvery{250};
constexpr milliseconds kTellEvery{1000};
constexpr int kTriesMax = 5;

void Out(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}
Exit Fail(Exit exit, const std::string& text) {
  std::fprintf(stderr, "hawserctl: %s\n", text.c_str());
  return exit;
}

class Runner {
 public:
  Runner(const Options& options, std::string token)
      : options_(options), http_(options.server, std::move(token), RequestMs(options)) {}

  Exit Show(const Request& request, ToGrid to_grid) {
    const auto response = Ask(request);
    if (!response) return exit_;
    return Print(response->body, to_grid);
  }

  // The regions in short, then what this one holds.
  Exit Explain() {
    const auto response = Ask({.path = ExplainPath()});
    if (!response) return exit_;
    if (options_.json) return Print(response->body, ExplainGrid);
    const Exit regions = Print(response->body, ExplainRegionsGrid);
    if (regions != Exit::kOk) return regions;
    Out("\n");
    return Print(response->body, ExplainGrid);
  }

  Exit Lag() {
    const std::string query = options_.peer.empty() ? "" : "?peer=" + PercentEncoded(options_.peer);
    const auto until = Clock::now() + milliseconds(options_.wait_ms.value_or(0));
    while (true) {
      const auto response = Ask({.path = "/v1/lag" + query});
      if (!response) return exit_;
      if (!options_.max_lag_ms) return Print(response->body, LagGrid);
      const auto over = LagOver(response->body, *options_.max_lag_ms);
      const bool within = over && over->empty();
      if (within || !over || Clock::now() + kPollEvery > until) {
        const Exit printed = Print(response->body, LagGrid);
        if (printed != Exit::kOk || within) return printed;
        return Fail(options_.wait_ms ? Exit::kTimedOut : Exit::kConditionNotMet,
                    "over the bound: " + over.value_or("?"));
      }
      std::this_thread::sleep_for(kPollEvery);
    }
  }

  Exit Put() {
    Request request{.method = options_.merge ? "PATCH" : "PUT",
                    .path = RecordPath(),
                    .headers = {},
                    .body = {}};
    if (!options_.if_match.empty())
      request.headers.emplace_back("If-Match", '"' + options_.if_match + '"');
    if (options_.wait_ms) {
      const std::int64_t seconds = std::max<std::int64_t>(1, (*options_.wait_ms + 999) / 1000);
      request.headers.emplace_back("Prefer", "wait=" + std::to_string(seconds));
      request.headers.emplace_back("Hawser-Wait-Regions", "all");
    }
    if (const Exit exit = FillBody(request); exit != Exit::kOk) return exit;
    if (options_.dry_run) {
      Out(request.method + ' ' + options_.server + request.path + '\n');
      for (const auto& [name, value] : request.headers) Out(name + ": " + value + '\n');
      Out("(" + std::to_string(request.body.size()) + " bytes)\n");
      return Exit::kOk;
    }
    const auto response = Ask(request);
    if (!response) return exit_;
    const Exit printed = Print(response->body, WriteGrid);
    if (printed == Exit::kOk && IsDegraded(response->body)) {
      return Fail(Exit::kTimedOut,
                  "durable here, but not yet known to be in every region within --wait; it goes on "
                  "by itself");
    }
    return printed;
  }

  Exit Claim() {
    const bool claims = options_.command == Command::kUniqueClaim;
    Request request{
        .method = claims ? "PUT" : "DELETE", .path = UniquePath(), .headers = {}, .body = {}};
    if (claims) {
      const auto body = ClaimBody(options_.owner, options_.request_id);
      if (!body) return Fail(Exit::kUsage, "an owner must be UTF-8 here");
      request.body = *body;
      request.headers.emplace_back("Content-Type", "application/json");
      if (options_.wait_ms) {
        const std::int64_t seconds = std::max<std::int64_t>(1, (*options_.wait_ms + 999) / 1000);
        request.headers.emplace_back("Prefer", "wait=" + std::to_string(seconds));
      }
    } else {
      request.path += "?owner=" + PercentEncoded(options_.owner);
    }
    if (options_.dry_run) {
      Out(request.method + ' ' + options_.server + request.path + '\n');
      return Exit::kOk;
    }
    const auto response = Ask(request);
    if (!response) return exit_;
    const Exit printed = Print(response->body, ClaimGrid);
    if (printed == Exit::kOk && options_.wait_ms && IsPending(response->body)) {
      return Fail(Exit::kTimedOut, "still pending; it goes on by itself");
    }
    return printed;
  }

  Exit MoveHome() {
    const auto body = MoveBody(options_.to_region, options_.reason, options_.force);
    if (!body) return Fail(Exit::kUsage, "the region and the reason must be UTF-8");
    if (options_.many) return MoveHomes(*body);
    if (options_.key.empty()) return Fail(Exit::kUsage, "name a unit, or --prefix");
    const Request request = MoveRequest(options_.key, *body);
    if (options_.dry_run) {
      Out(request.method + ' ' + options_.server + request.path + '\n' + request.body + '\n');
      return Exit::kOk;
    }
    return Show(request, HomeGrid);
  }

  Exit Conflicts() {
    std::string query = "?limit=" + std::to_string(options_.limit);
    const auto add = [&query](const char* name, const std::string& text) {
      if (!text.empty()) query += '&' + std::string(name) + '=' + PercentEncoded(text);
    };
    add("table", options_.filter_table);
    add("key", options_.filter_key);
    add("field", options_.filter_field);
    add("kind", options_.filter_kind);
    add("region", options_.filter_region);
    add("since", options_.since);
    add("until", options_.until);
    if (options_.unresolved) query += "&resolved=false";
    const auto response = Ask({.path = "/v1/conflicts" + query});
    if (!response) return exit_;
    const Exit printed = Print(response->body, ConflictsGrid);
    if (printed == Exit::kOk && !options_.json && !NextPageToken(response->body).empty()) {
      std::fputs("hawserctl: there are more; narrow the list, or raise --limit\n", stderr);
    }
    return printed;
  }

  Exit Resolve() {
    if (options_.take.empty() == !options_.take_value) {
      return Fail(Exit::kUsage, "say --take winner, --take loser or --value VALUE");
    }
    const auto body = ResolutionBody(options_.take, options_.take_value, options_.reason);
    if (!body) return Fail(Exit::kUsage, "the reason must be UTF-8");
    Request request{.method = "POST",
                    .path = ConflictPath() + "/resolution",
                    .headers = {{"Content-Type", "application/json"}},
                    .body = *body};
    if (!options_.if_match.empty()) {
      request.headers.emplace_back("If-Match", '"' + options_.if_match + '"');
    }
    if (options_.dry_run) {
      Out(request.method + ' ' + options_.server + request.path + '\n' + request.body + '\n');
      return Exit::kOk;
    }
    return Show(request, ResolvedGrid);
  }

  // Every logged conflict of the field, decided once more by another rule.
  Exit Replay() {
    const auto rule = LabRule::Parse(options_.resolver);
    if (!rule) return Fail(Exit::kUsage, "--resolver: " + rule.error());
    std::vector<LabFinding> findings;
    std::size_t looked_at = 0, undecided = 0;
    std::string token;
    do {
      const auto response =
          Ask({.path = "/v1/conflicts?limit=1000&table=" + PercentEncoded(options_.filter_table) +
                       "&field=" + PercentEncoded(options_.filter_field) +
                       (token.empty() ? "" : "&page_token=" + token)});
      if (!response) return exit_;
      const auto conflicts = ReadLabConflicts(response->body);
      if (!conflicts) return Fail(Exit::kFailed, "the answer is not what this version knows");
      for (const LabConflict& conflict : *conflicts) {
        const LabOutcome outcome = rule->Decide(conflict);
        ++looked_at;
        undecided += outcome == LabOutcome::kUndecided;
        if (outcome == LabOutcome::kStays) continue;
        findings.push_back({conflict, outcome == LabOutcome::kUndecided});
      }
      token = NextPageToken(response->body);
    } while (!token.empty());
    if (options_.json) {
      Out(LabJson(looked_at, findings));
      return Exit::kOk;
    }
    if (!findings.empty()) Out(Render(LabGrid(findings), options_.colour));
    Out(std::to_string(looked_at) + " conflicts looked at: " +
        std::to_string(findings.size() - undecided) + " would be settled differently, " +
        std::to_string(undecided) + " cannot be decided by this rule; nothing was changed\n");
    return Exit::kOk;
  }

  // Every page, from the newest entry to the first.
  Exit VerifyAudit() {
    std::string token, length;
    do {
      const auto response =
          Ask({.path = "/v1/audit?limit=1000" + (token.empty() ? "" : "&page_token=" + token)});
      if (!response) return exit_;
      const auto chain = ReadAuditChain(response->body);
      if (!chain) return Fail(Exit::kFailed, "the answer is not what this version knows");
      if (!chain->verified) {
        return Fail(Exit::kConditionNotMet,
                    "the audit log does not hold together at entry " + chain->broken_at +
                        ": it was changed, or the disk is damaged. Compare with another region's");
      }
      if (length.empty()) length = chain->length;
      token = NextPageToken(response->body);
    } while (!token.empty());
    Out("the audit log holds together: " + length + " entries\n");
    return Exit::kOk;
  }

  std::string ConflictPath() const {
    return "/v1/conflicts/" + PercentEncoded(options_.conflict_id);
  }

  std::string ExplainPath() const {
    return "/v1/explain/" + PercentEncoded(options_.table) + '/' + PercentEncoded(options_.key);
  }

  std::string UniquePath() const {
    return "/v1/unique/" + PercentEncoded(options_.table) + '/' + PercentEncoded(options_.key);
  }

  std::string HomePath(const std::string& unit) const {
    return "/v1/homes/" + PercentEncoded(options_.table) + '/' + PercentEncoded(unit);
  }
  std::string HomesPath(std::int64_t limit) const {
    return "/v1/homes?table=" + PercentEncoded(options_.table) +
           "&prefix=" + PercentEncoded(options_.prefix) + "&limit=" + std::to_string(limit);
  }

  std::string RecordPath() const {
    return "/v1/tables/" + PercentEncoded(options_.table) + "/records/" +
           PercentEncoded(options_.key);
  }

 private:
  // The daemon may hold the answer for as long as --wait says.
  static std::int64_t RequestMs(const Options& options) {
    const bool held =
        options.command == Command::kRecordPut || options.command == Command::kUniqueClaim;
    return options.timeout_ms + (held ? options.wait_ms.value_or(0) : 0);
  }

  Request MoveRequest(const std::string& unit, const std::string& body) const {
    return {.method = "PUT",
            .path = HomePath(unit),
            .headers = {{"Content-Type", "application/json"}},
            .body = body};
  }

  // The units of the prefix that are at home elsewhere; nullopt: `exit_` says why not.
  std::optional<std::vector<std::string>> UnitsElsewhere() {
    std::vector<std::string> units;
    std::string token;
    do {
      const auto response =
          Ask({.path = HomesPath(1000) + (token.empty() ? "" : "&page_token=" + token)});
      if (!response) return std::nullopt;
      const auto homes = ReadHomes(response->body);
      if (!homes) {
        exit_ = Fail(Exit::kFailed, "the answer is not what this version knows");
        return std::nullopt;
      }
      for (const ListedHome& home : *homes) {
        if (home.home != options_.to_region) units.push_back(home.unit);
      }
      token = NextPageToken(response->body);
    } while (!token.empty());
    return units;
  }

  // One by one: what has moved stays moved, whatever ends this.
  Exit MoveHomes(const std::string& body) {
    const auto units = UnitsElsewhere();
    if (!units) return exit_;
    const std::string total = std::to_string(units->size());
    if (options_.dry_run) {
      Out(total + " units would move to " + options_.to_region + '\n');
      return Exit::kOk;
    }
    const auto pause = std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(1.0 / options_.moves_per_second));
    Clock::time_point next = Clock::now(), tell = next + kTellEvery;
    std::size_t moved = 0;
    for (const std::string& unit : *units) {
      std::this_thread::sleep_until(next);
      next = std::max(next + pause, Clock::now());
      if (!AskPatiently(MoveRequest(unit, body))) {
        std::fprintf(stderr, "hawserctl: %zu of %s have moved; the same command goes on\n", moved,
                     total.c_str());
        return exit_;
      }
      ++moved;
      if (Clock::now() < tell) continue;
      tell = Clock::now() + kTellEvery;
      std::fprintf(stderr, "hawserctl: %zu of %s have moved\n", moved, total.c_str());
    }
    Out(std::to_string(moved) + " units have moved to " + options_.to_region + '\n');
    return Exit::kOk;
  }

  // As Ask, but what may pass by itself (its home has just moved, was not heard) is tried again.
  std::optional<Response> AskPatiently(const Request& request) {
    for (int tries = 1; tries < kTriesMax; ++tries) {
      auto response = http_.Send(request);
      if (response && response->status >= 200 && response->status < 300) {
        return std::move(*response);
      }
      const bool passing = response && (response->status == 409 || response->status == 503 ||
                                        response->status == 504);
      if (!passing) break;
      std::this_thread::sleep_for(kPollEvery * tries);
    }
    return Ask(request);
  }

  // An answer of the 200s; else `exit_` is set and the reason told.
  std::optional<Response> Ask(const Request& request) {
    auto response = http_.Send(request);
    if (!response) {
      exit_ =
          Fail(response.error().timed_out ? Exit::kTimedOut : Exit::kFailed, response.error().text);
      return std::nullopt;
    }
    if (response->status >= 200 && response->status < 300) return std::move(*response);
    if (options_.json) Out(response->body + '\n');
    exit_ = Fail(ExitOf(response->status), ProblemDetail(response->body) + " (HTTP " +
                                               std::to_string(response->status) + ")");
    return std::nullopt;
  }

  Exit Print(const std::string& body, ToGrid to_grid) {
    if (options_.json) {
      Out(body);
      if (!body.ends_with('\n')) Out("\n");
      return Exit::kOk;
    }
    const auto grid = to_grid(body);
    if (!grid)
      return Fail(Exit::kFailed, "the answer is not what this version knows; is " +
                                     options_.server + " a hawserd?");
    Out(Render(*grid, options_.colour));
    return Exit::kOk;
  }

  Exit FillBody(Request& request) const {
    if (options_.value.has_value() == !options_.fields.empty()) {
      return Fail(Exit::kUsage, "write either FIELD=VALUE … or --value VALUE");
    }
    if (options_.value) {
      request.body = *options_.value;
      if (request.body == "-") request.body.assign(std::istreambuf_iterator<char>(std::cin), {});
      const auto body = FieldsBody({{"", request.body}});
      request.body = *body;
    } else {
      std::vector<std::pair<std::string, std::string>> fields;
      for (const std::string& field : options_.fields) {
        const std::size_t equals = field.find('=');
        if (equals == std::string::npos)
          return Fail(Exit::kUsage, "\"" + field + "\" is not FIELD=VALUE");
        fields.emplace_back(field.substr(0, equals), field.substr(equals + 1));
      }
      const auto body = FieldsBody(fields);
      if (!body) return Fail(Exit::kUsage, "a field's name must be UTF-8");
      request.body = *body;
    }
    request.headers.emplace_back("Content-Type", "application/json");
    return Exit::kOk;
  }

  const Options& options_;
  Http http_;
  Exit exit_ = Exit::kOk;
};

Exit CheckConfig(const Options& options) {
  const auto loaded =
      config::Load({.file = options.config_file, .environment = config::HawserEnvironment()});
  if (!loaded) {
    for (const config::Problem& problem : loaded.error()) {
      std::fprintf(stderr, "hawserctl: %s\n", Text(problem).c_str());
    }
    return Exit::kFailed;
  }
  Out("the configuration is good\n");
  return Exit::kOk;
}

}  // namespace

Exit ExitOf(int http_status) {
  if (http_status >= 200 && http_status < 300) return Exit::kOk;
  if (http_status == 404) return Exit::kNotFound;
  if (http_status == 408 || http_status == 504) return Exit::kTimedOut;
  if (http_status >= 400 && http_status < 500) return Exit::kRefused;
  return http_status == 507 ? Exit::kRefused : Exit::kFailed;
}

Exit Execute(const Options& options) {
  if (options.command == Command::kConfigCheck) return CheckConfig(options);
  std::string token;
  if (!options.token_file.empty()) {
    const auto secret = config::ReadSecret(options.token_file);
    if (!secret) return Fail(Exit::kUsage, secret.error());
    token = *secret;
  }
  Runner runner(options, token);
  switch (options.command) {
    case Command::kRegionList:
      return runner.Show({.path = "/v1/regions"}, RegionGrid);
    case Command::kLag:
      return runner.Lag();
    case Command::kRecordGet:
      return runner.Show({.path = runner.RecordPath()}, RecordGrid);
    case Command::kRecordPut:
      return runner.Put();
    case Command::kCut:
      return runner.Show({.path = "/v1/cut"}, CutGrid);
    case Command::kRecordExplain:
      return runner.Explain();
    case Command::kUniqueGet:
      return runner.Show({.path = runner.UniquePath()}, ClaimGrid);
    case Command::kUniqueClaim:
    case Command::kUniqueRelease:
      return runner.Claim();
    case Command::kHomeGet:
      return runner.Show({.path = runner.HomePath(options.key)}, HomeGrid);
    case Command::kHomeList:
      return runner.Show({.path = runner.HomesPath(options.limit)}, HomesGrid);
    case Command::kHomeMove:
      return runner.MoveHome();
    case Command::kConflictList:
      return runner.Conflicts();
    case Command::kConflictShow:
      return runner.Show({.path = runner.ConflictPath()}, ConflictGrid);
    case Command::kConflictResolve:
      return runner.Resolve();
    case Command::kConflictReplay:
      return runner.Replay();
    case Command::kAuditList:
      return runner.Show({.path = "/v1/audit?limit=" + std::to_string(options.limit)}, AuditGrid);
    case Command::kAuditVerify:
      return runner.VerifyAudit();
    case Command::kConfigCheck:
      break;
  }
  return Exit::kUsage;
}

}  // namespace hawser::ctl
