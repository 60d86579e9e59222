#include "daemon/ctl/options.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdlib>
#include <sstream>
#include <utility>

#include "daemon/config/units.h"
#include "daemon/ctl/exit.h"
#include "daemon/version.h"

namespace hawser::ctl {
namespace {

// Words of the whole tool's plan that this version does not serve yet.
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kLater = {{
    {"region", "join"},
    {"region", "drain"},
    {"region", "remove"},
    {"region", "takeover"},
    {"home", ""},
    {"verify", ""},
    {"parked", ""},
    {"backup", ""},
    {"bench", ""},
}};

std::string LaterWord(int argc, const char* const* argv) {
  const std::string_view noun = argc > 1 ? argv[1] : "";
  const std::string_view verb = argc > 2 ? argv[2] : "";
  for (const auto& [later_noun, later_verb] : kLater) {
    if (noun != later_noun || (!later_verb.empty() && verb != later_verb)) continue;
    return std::string(later_noun) + (later_verb.empty() ? "" : " " + std::string(later_verb));
  }
  return {};
}

CLI::Validator Duration() {
  return CLI::Validator(
      [](std::string& text) {
        const auto ms = config::ParseDuration(text);
        if (!ms) return ms.error();
        text = std::to_string(*ms);  // CLI11 converts what is left in `text`
        return std::string{};
      },
      "DURATION");
}

class CommandLine {
 public:
  CommandLine()
      : app_("Controls and asks one region's hawserd over its REST interface.", "hawserctl") {
    app_.require_subcommand(1);
    app_.fallthrough();
    app_.set_version_flag("--version", "hawserctl " + std::string(kVersion));
    app_.footer(
        "Exit codes: 0 ok, 1 failed, 2 usage, 3 condition not met, 4 not found, 5 refused, 6 timed "
        "out.");
    app_.add_option("-o,--output", output_, "table or json")
        ->check(CLI::IsMember({"table", "json"}))
        ->capture_default_str();
    app_.add_option("--server", options_.server, "where the daemon's REST interface is")
        ->envname("HAWSER_SERVER")
        ->capture_default_str();
    app_.add_option("--token-file", options_.token_file, "file with the token to show, mode 0600")
        ->envname("HAWSER_TOKEN_FILE");
    app_.add_option("--timeout", options_.timeout_ms, "for one request, such as 10s")
        ->transform(Duration());
    app_.add_option("--wait", wait_ms_, "wait so long until it holds, such as 30s")
        ->transform(Duration());
    app_.add_flag("--yes", options_.yes, "do not ask back");
    app_.add_flag("--dry-run", options_.dry_run, "show what would be sent, send nothing");
    AddRegion();
    AddLag();
    AddRecord();
    AddCut();
    AddUnique();
    AddHome();
    AddConflict();
    AddAudit();
    AddConfig();
  }

  Parsed Parse(int argc, const char* const* argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return Failed(error, LaterWord(argc, argv));
    }
    options_.json = output_ == "json";
    options_.colour = isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
    if (wait_ms_ >= 0) options_.wait_ms = wait_ms_;
    if (max_lag_ms_ >= 0) options_.max_lag_ms = max_lag_ms_;
    if (has_value_->count() > 0) options_.value = value_;
    if (has_take_value_->count() > 0) options_.take_value = take_value_;
    options_.many = has_prefix_->count() > 0;
    return {.options = options_};
  }

 private:
  Parsed Failed(const CLI::ParseError& error, const std::string& later) {
    std::ostringstream out, err;
    const int code = app_.exit(error, out, err);
    if (code == 0) return {.text = out.str()};
    if (!later.empty()) {
      return {.text = "hawserctl: \"" + later + "\" is not in this version; see hawserctl --help\n",
              .to_stderr = true,
              .exit_code = static_cast<int>(Exit::kUsage)};
    }
    return {.text = "hawserctl: " + err.str(),
            .to_stderr = true,
            .exit_code = static_cast<int>(Exit::kUsage)};
  }

  void Serves(CLI::App* app, Command command) {
    app->callback([this, command] { options_.command = command; });
  }
  void AddRegion() {
    CLI::App* region = app_.add_subcommand("region", "the regions and the links to them");
    region->require_subcommand(1);
    Serves(region->add_subcommand("list", "every region with its link, lag and software"),
           Command::kRegionList);
  }
  void AddLag() {
    CLI::App* lag = app_.add_subcommand("lag", "how far each peer is behind, in both directions");
    lag->add_option("--peer", options_.peer, "only this region");
    lag->add_option("--max", max_lag_ms_,
                    "exit 3 if anything is further behind than this, such as 5s; with --wait, wait "
                    "for it first")
        ->transform(Duration());
    Serves(lag, Command::kLag);
  }
  void AddRecord() {
    CLI::App* record = app_.add_subcommand("record", "one record");
    record->require_subcommand(1);
    CLI::App* get = record->add_subcommand("get", "show a record");
    AddNames(get);
    Serves(get, Command::kRecordGet);
    CLI::App* put = record->add_subcommand("put", "write a record, replacing what it holds");
    AddNames(put);
    put->add_option("fields", options_.fields, "FIELD=VALUE …");
    has_value_ = put->add_option("--value", value_,
                                 "a plain value instead of fields; - reads it from stdin");
    put->add_flag("--merge", options_.merge, "keep fields that are not named");
    put->add_option("--if-match", options_.if_match, "only if the record still has this version");
    put->footer("With --wait, waits until every other region has it; exit 6 if that takes longer.");
    Serves(put, Command::kRecordPut);
    CLI::App* explain = record->add_subcommand(
        "explain", "why it is what it is, in every region: cells, writers, arrivals, conflicts");
    AddNames(explain);
    Serves(explain, Command::kRecordExplain);
  }
  void AddNames(CLI::App* app) {
    app->add_option("table", options_.table, "the table's name")->required();
    app->add_option("key", options_.key, "the record's key")->required();
  }
  void AddCut() {
    CLI::App* cut = app_.add_subcommand("cut", "what this region has applied of every origin");
    Serves(cut, Command::kCut);
  }
  void AddUnique() {
    CLI::App* unique = app_.add_subcommand("unique", "values that one owner may have, worldwide");
    unique->require_subcommand(1);
    CLI::App* get = unique->add_subcommand("get", "who owns a value, and whether that is proved");
    CLI::App* claim = unique->add_subcommand("claim", "claim a value for an owner");
    CLI::App* release = unique->add_subcommand("release", "give a value up, as its owner");
    for (CLI::App* each : {get, claim, release}) {
      each->add_option("name", options_.table, "the name under [[unique]], such as login")
          ->required();
      each->add_option("value", options_.key, "the value")->required();
      if (each != get) each->add_option("owner", options_.owner, "the owner")->required();
    }
    claim->add_option("--request-id", options_.request_id,
                      "the same id again gets the first's answer, for a day");
    claim->footer("With --wait, waits until it is confirmed or lost; exit 6 if still pending.");
    Serves(get, Command::kUniqueGet);
    Serves(claim, Command::kUniqueClaim);
    Serves(release, Command::kUniqueRelease);
  }
  void AddHome() {
    CLI::App* home = app_.add_subcommand("home", "which region takes the writes of a unit");
    home->require_subcommand(1);
    CLI::App* get = home->add_subcommand("get", "where a unit is at home");
    get->add_option("table", options_.table, "a homed table")->required();
    get->add_option("unit", options_.key, "what stands in {…} of its keys, else the key")
        ->required();
    Serves(get, Command::kHomeGet);
    CLI::App* list = home->add_subcommand("list", "the units of a table that have a home");
    list->add_option("table", options_.table, "a homed table")->required();
    list->add_option("--prefix", options_.prefix, "only units that begin so");
    AddLimit(list);
    Serves(list, Command::kHomeList);
    CLI::App* move = home->add_subcommand("move", "move one unit, or many at a pace");
    move->add_option("table", options_.table, "a homed table")->required();
    CLI::Option* unit = move->add_option("unit", options_.key, "the one to move");
    has_prefix_ = move->add_option("--prefix", options_.prefix,
                                   "all units that begin so and have another home; \"\": all")
                      ->excludes(unit);
    move->add_option("--to", options_.to_region, "the region that shall be its home")->required();
    move->add_option("--reason", options_.reason, "why; it stands in every region's audit log")
        ->required();
    CLI::Option* force = move->add_flag(
        "--force", options_.force,
        "take it over from a home that is lost; what only that region has may give way later");
    force->excludes(has_prefix_);
    move->add_option("--rate", options_.moves_per_second, "of many: moves a second at most")
        ->check(CLI::Range(0.001, 1000.0))
        ->default_val(10.0)
        ->needs(has_prefix_);
    move->footer(
        "Many are moved one by one and told of as they go. Stopped, or refused half way, the same "
        "command goes on with those that have not moved.");
    Serves(move, Command::kHomeMove);
  }
  void AddConflict() {
    CLI::App* conflict =
        app_.add_subcommand("conflict", "values that gave way to a write which had not seen them");
    conflict->require_subcommand(1);
    CLI::App* list = conflict->add_subcommand("list", "newest first, of this region's log");
    list->add_option("--table", options_.filter_table, "only of this table");
    list->add_option("--key", options_.filter_key, "only of this key");
    list->add_option("--field", options_.filter_field, "only of this field");
    list->add_option("--kind", options_.filter_kind, "write, delete, state, claim …");
    list->add_option("--region", options_.filter_region, "only where a side was written there");
    list->add_option("--since", options_.since, "found at or after, such as 2026-11-22T06:15:00Z");
    list->add_option("--until", options_.until, "found before");
    list->add_flag("--unresolved", options_.unresolved, "only those nobody has resolved");
    AddLimit(list);
    Serves(list, Command::kConflictList);
    CLI::App* show = conflict->add_subcommand("show", "both sides, and what the record shows now");
    show->add_option("id", options_.conflict_id, "the conflict's id")->required();
    Serves(show, Command::kConflictShow);
    CLI::App* resolve =
        conflict->add_subcommand("resolve", "say which value shall stand, in every region");
    resolve->add_option("id", options_.conflict_id, "the conflict's id")->required();
    CLI::Option* take = resolve->add_option("--take", options_.take, "winner or loser")
                            ->check(CLI::IsMember({"winner", "loser"}));
    has_take_value_ =
        resolve->add_option("--value", take_value_, "another value instead")->excludes(take);
    resolve->add_option("--reason", options_.reason, "why; it stands in every region's audit log")
        ->required();
    resolve->add_option(
        "--if-match", options_.if_match,
        "overrule what was written since: the version that \"conflict show\" shows");
    resolve->footer("Undone by resolving once more.");
    Serves(resolve, Command::kConflictResolve);
    CLI::App* replay = conflict->add_subcommand(
        "replay", "which logged conflicts another rule would settle differently; changes nothing");
    replay->add_option("--table", options_.filter_table, "of this table")->required();
    replay->add_option("--field", options_.filter_field, "of this field; \"\" is the plain value")
        ->required();
    replay->add_option("--resolver", options_.resolver, "lww, first, max, min or states:A,B,C")
        ->required();
    Serves(replay, Command::kConflictReplay);
  }
  void AddAudit() {
    CLI::App* audit = app_.add_subcommand("audit", "who overrode what, when and why");
    audit->require_subcommand(1);
    CLI::App* list = audit->add_subcommand("list", "newest first");
    AddLimit(list);
    Serves(list, Command::kAuditList);
    Serves(audit->add_subcommand("verify",
                                 "check the chain of hashes from end to end; exit 3 if "
                                 "it does not hold"),
           Command::kAuditVerify);
  }
  void AddLimit(CLI::App* app) {
    app->add_option("--limit", options_.limit, "how many at most")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
  }
  void AddConfig() {
    CLI::App* parent = app_.add_subcommand("config", "configuration files on this machine");
    parent->require_subcommand(1);
    CLI::App* check =
        parent->add_subcommand("check", "check a configuration as hawserd --check does");
    check->add_option("file", options_.config_file,
                      "only this file; else /etc/hawser and its conf.d");
    Serves(check, Command::kConfigCheck);
  }

  CLI::App app_;
  Options options_;
  std::string output_ = "table";
  std::string value_;
  std::int64_t wait_ms_ = -1, max_lag_ms_ = -1;
  CLI::Option* has_value_ = nullptr;
  std::string take_value_;
  CLI::Option* has_take_value_ = nullptr;
  CLI::Option* has_prefix_ = nullptr;
};

}  // namespace

Parsed ParseOptions(int argc, const char* const* argv) {
  return CommandLine().Parse(argc, argv);
}

}  // namespace hawser::ctl
