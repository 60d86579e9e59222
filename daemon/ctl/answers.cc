#include "daemon/ctl/answers.h"

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "daemon/base64.h"

namespace hawser::ctl {
namespace {

using Json = nlohmann::json;

Json Parse(std::string_view text) {
  return Json::parse(text, nullptr, false);
}

// The member as text: strings as they are, numbers plainly, what is absent or null as "-".
std::string Member(const Json& object, const char* name) {
  const auto at = object.find(name);
  if (at == object.end() || at->is_null()) return "-";
  if (at->is_string()) return at->get<std::string>();
  if (at->is_number_float()) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", at->get<double>());
    return text;
  }
  return at->dump(-1, ' ', false, Json::error_handler_t::replace);
}

double Number(const Json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_number() ? at->get<double>() : 0;
}

const Json* Array(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto at = object.find(name);
  return at != object.end() && at->is_array() ? &*at : nullptr;
}

bool IsTrue(const Json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_boolean() && at->get<bool>();
}

Tone LinkTone(const std::string& link) {
  if (link == "up") return Tone::kGood;
  if (link == "slow") return Tone::kWarn;
  return link == "-" ? Tone::kPlain : Tone::kBad;
}

GridCell Right(std::string text) {
  return {std::move(text), Tone::kPlain, true};
}

bool IsUtf8(const std::string& text) {
  try {
    (void)Json(text).dump();
    return true;
  } catch (const Json::exception&) {
    return false;
  }
}

// A value may be a megabyte; a table's column is not.
std::string Short(const std::string& text) {
  constexpr std::size_t kMax = 40;
  return text.size() <= kMax ? text : text.substr(0, kMax) + "...";
}

bool HasSides(const Json& conflict) {
  return conflict.contains("winner") && conflict["winner"].is_object() &&
         conflict.contains("loser") && conflict["loser"].is_object();
}

std::string FieldName(const Json& of) {
  if (!of.contains("field") || of["field"].is_null()) return "(expiry)";
  const std::string name = Member(of, "field");
  return name.empty() ? "\"\"" : name;
}

std::string ResolutionText(const Json& conflict) {
  if (!conflict.contains("resolution") || !conflict["resolution"].is_object()) return "-";
  const Json& resolution = conflict["resolution"];
  return Member(resolution, "take") + " by " + Member(resolution, "by") + " in " +
         Member(resolution, "region") + (IsTrue(resolution, "in_effect") ? "" : ", written since");
}

}  // namespace

std::optional<Grid> RegionGrid(std::string_view json) {
  const Json body = Parse(json);
  const Json* regions = Array(body, "regions");
  if (regions == nullptr) return std::nullopt;
  Grid grid{{"REGION", "ID", "LINK", "LIFECYCLE", "BEHIND US (TXNS)", "WE ARE BEHIND (TXNS)",
             "RTT MS", "LAST HEARD", "SOFTWARE"},
            {}};
  for (const Json& region : *regions) {
    if (!region.is_object()) return std::nullopt;
    const bool self = IsTrue(region, "self");
    const std::string link = self ? "self" : Member(region, "link");
    const Json none = Json::object();
    const Json& out = region.contains("outgoing") ? region["outgoing"] : none;
    const Json& in = region.contains("incoming") ? region["incoming"] : none;
    grid.rows.push_back({{Member(region, "name")},
                         Right(Member(region, "id")),
                         {link, self ? Tone::kPlain : LinkTone(link)},
                         {Member(region, "lifecycle")},
                         Right(Member(out, "behind_txns")),
                         Right(Member(in, "behind_txns")),
                         Right(Member(region, "rtt_ms")),
                         {Member(region, "last_heard_at")},
                         {Member(region, "software")}});
  }
  return grid;
}

std::optional<Grid> LagGrid(std::string_view json) {
  const Json body = Parse(json);
  const Json* lag = Array(body, "lag");
  if (lag == nullptr) return std::nullopt;
  Grid grid{{"PEER", "DIRECTION", "LINK", "TXNS", "BYTES", "SECONDS", "OLDEST", "RTT MS",
             "CLOCK OFFSET MS"},
            {}};
  for (const Json& way : *lag) {
    if (!way.is_object()) return std::nullopt;
    const std::string link = Member(way, "link");
    grid.rows.push_back({{Member(way, "peer")},
                         {Member(way, "direction")},
                         {link, LinkTone(link)},
                         Right(Member(way, "behind_txns")),
                         Right(Member(way, "behind_bytes")),
                         Right(Member(way, "behind_seconds")),
                         {Member(way, "oldest_unacked_at")},
                         Right(Member(way, "rtt_ms")),
                         Right(Member(way, "clock_offset_ms"))});
  }
  return grid;
}

std::optional<Grid> RecordGrid(std::string_view json) {
  const Json body = Parse(json);
  if (!body.is_object() || !body.contains("fields") || !body["fields"].is_object())
    return std::nullopt;
  Grid grid{{"FIELD", "VALUE"}, {}};
  grid.rows.push_back({{"(version)"}, {Member(body, "version")}});
  if (body.contains("expires_at"))
    grid.rows.push_back({{"(expires at)"}, {Member(body, "expires_at")}});
  for (const auto& [name, value] : body["fields"].items()) {
    grid.rows.push_back({{name.empty() ? "\"\"" : name}, {Member(body["fields"], name.c_str())}});
  }
  return grid;
}

std::optional<Grid> ClaimGrid(std::string_view json) {
  const Json body = Parse(json);
  if (!body.is_object() || !body.contains("state")) return std::nullopt;
  Grid grid{{"STATE", "OWNER", "NOT YET HEARD"}, {}};
  std::string silent;
  if (body.contains("silent_regions") && body["silent_regions"].is_array()) {
    for (const Json& region : body["silent_regions"]) {
      if (region.is_string()) silent += (silent.empty() ? "" : ", ") + region.get<std::string>();
    }
  }
  grid.rows.push_back({{Member(body, "state"), IsPending(json) ? Tone::kWarn : Tone::kGood},
                       {Member(body, "owner")},
                       {silent}});
  return grid;
}

std::optional<std::string> ClaimBody(const std::string& owner, const std::string& request_id) {
  Json body{{"owner", owner}};
  if (!request_id.empty()) body["request_id"] = request_id;
  try {
    return body.dump();
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

bool IsPending(std::string_view json) {
  const Json body = Parse(json);
  return body.is_object() && Member(body, "state") == "pending";
}

std::optional<Grid> WriteGrid(std::string_view json) {
  const Json body = Parse(json);
  if (!body.is_object() || !body.contains("result")) return std::nullopt;
  Grid grid{{"RESULT", "VERSION", "ACKNOWLEDGED BY"}, {}};
  std::string acks = "this region";
  if (body.contains("acks") && body["acks"].is_object()) {
    acks += " and " + Member(body["acks"], "reached") + " of " + Member(body["acks"], "asked") +
            " others";
  }
  grid.rows.push_back({{Member(body, "result"), Tone::kGood},
                       {Member(body, "version")},
                       {acks, IsDegraded(json) ? Tone::kWarn : Tone::kPlain}});
  return grid;
}

std::optional<Grid> CutGrid(std::string_view json) {
  const Json body = Parse(json);
  const Json* applied = Array(body, "applied");
  const Json* stable = Array(body, "stable");
  if (applied == nullptr || stable == nullptr) return std::nullopt;
  Grid grid{{"ORIGIN", "INCARNATION", "APPLIED", "STABLE"}, {}};
  for (const Json& dot : *applied) {
    if (!dot.is_object()) return std::nullopt;
    std::string stable_seq = "0";
    for (const Json& other : *stable) {
      if (other.is_object() && Member(other, "region") == Member(dot, "region") &&
          Member(other, "incarnation") == Member(dot, "incarnation")) {
        stable_seq = Member(other, "seq");
      }
    }
    grid.rows.push_back({{Member(dot, "region")},
                         {Member(dot, "incarnation")},
                         Right(Member(dot, "seq")),
                         Right(stable_seq)});
  }
  return grid;
}

std::optional<Grid> ConflictsGrid(std::string_view json) {
  const Json body = Parse(json);
  const Json* conflicts = Array(body, "conflicts");
  if (conflicts == nullptr) return std::nullopt;
  Grid grid{{"FOUND", "ID", "TABLE", "KEY", "FIELD", "KIND", "WINNER", "FROM", "LOSER", "FROM",
             "RESOLUTION"},
            {}};
  for (const Json& each : *conflicts) {
    if (!each.is_object() || !HasSides(each)) return std::nullopt;
    grid.rows.push_back({{Member(each, "at")},
                         {Member(each, "id")},
                         {Member(each, "table")},
                         {Short(Member(each, "key"))},
                         {FieldName(each)},
                         {Member(each, "kind")},
                         {Short(Member(each["winner"], "value")), Tone::kGood},
                         {Member(each["winner"], "region")},
                         {Short(Member(each["loser"], "value")), Tone::kWarn},
                         {Member(each["loser"], "region")},
                         {ResolutionText(each)}});
  }
  return grid;
}

std::optional<Grid> ConflictGrid(std::string_view json) {
  const Json body = Parse(json);
  if (!body.is_object() || !HasSides(body)) return std::nullopt;
  const Json& winner = body["winner"];
  const Json& loser = body["loser"];
  Grid grid{{"", "WINNER", "LOSER"}, {}};
  const auto both = [&](const char* title, const char* name) {
    grid.rows.push_back({{title}, {Member(winner, name)}, {Member(loser, name)}});
  };
  grid.rows.push_back(
      {{"value"}, {Member(winner, "value"), Tone::kGood}, {Member(loser, "value"), Tone::kWarn}});
  both("region", "region");
  both("written at", "written_at");
  both("version", "version");
  const auto one = [&](const char* title, const std::string& text) {
    grid.rows.push_back({{title}, {text}, {""}});
  };
  one("of", Member(body, "table") + " / " + Member(body, "key") + " / " + FieldName(body));
  one("kind, rule", Member(body, "kind") + ", " + Member(body, "rule"));
  one("found at", Member(body, "at"));
  one("resolution", ResolutionText(body));
  if (body.contains("resolution") && body["resolution"].is_object()) {
    one("reason", Member(body["resolution"], "reason"));
  }
  const bool current = body.contains("current") && body["current"].is_object();
  one("shows now", current ? Member(body["current"], "fields") : "nothing");
  if (current) one("its version", Member(body["current"], "version"));
  return grid;
}

namespace {

// A string, or {"base64": …}; null has none.
std::optional<std::string> TextOf(const Json& object, const char* name) {
  const auto at = object.find(name);
  if (at == object.end()) return std::nullopt;
  if (at->is_string()) return at->get<std::string>();
  if (!at->is_object() || !at->contains("base64") || !(*at)["base64"].is_string()) {
    return std::nullopt;
  }
  return FromBase64((*at)["base64"].get<std::string>());
}

std::optional<LabSide> ReadLabSide(const Json& side) {
  const auto version = ParseVersion(Member(side, "version"));
  if (!version) return std::nullopt;
  return LabSide{.value = TextOf(side, "value"), .version = *version};
}

std::string LabValue(const LabSide& side) {
  return side.value ? Short(*side.value) : "(deleted)";
}

}  // namespace

std::optional<std::vector<LabConflict>> ReadLabConflicts(std::string_view json) {
  const Json body = Parse(json);
  const Json* conflicts = Array(body, "conflicts");
  if (conflicts == nullptr) return std::nullopt;
  std::vector<LabConflict> found;
  for (const Json& each : *conflicts) {
    if (!each.is_object() || !HasSides(each)) return std::nullopt;
    if (IsTrue(each, "expiry")) continue;
    const auto winner = ReadLabSide(each["winner"]), loser = ReadLabSide(each["loser"]);
    if (!winner || !loser) return std::nullopt;
    found.push_back({.id = Member(each, "id"),
                     .key = TextOf(each, "key").value_or("?"),
                     .winner = *winner,
                     .loser = *loser});
  }
  return found;
}

Grid LabGrid(const std::vector<LabFinding>& findings) {
  Grid grid{{"ID", "KEY", "WON", "WOULD WIN"}, {}};
  for (const LabFinding& finding : findings) {
    const LabConflict& conflict = finding.conflict;
    grid.rows.push_back({{conflict.id},
                         {Short(conflict.key)},
                         {LabValue(conflict.winner)},
                         finding.undecided ? GridCell{"? (no state of the line)", Tone::kWarn}
                                           : GridCell{LabValue(conflict.loser), Tone::kGood}});
  }
  return grid;
}

std::string LabJson(std::size_t looked_at, const std::vector<LabFinding>& findings) {
  const auto value = [](const LabSide& side) {
    if (!side.value) return Json(nullptr);
    return IsUtf8(*side.value) ? Json(*side.value) : Json{{"base64", ToBase64(*side.value)}};
  };
  Json body{
      {"looked_at", looked_at}, {"would_change", Json::array()}, {"undecided", Json::array()}};
  for (const LabFinding& finding : findings) {
    const LabConflict& conflict = finding.conflict;
    body[finding.undecided ? "undecided" : "would_change"].push_back(
        {{"id", conflict.id},
         {"key", conflict.key},
         {"won", value(conflict.winner)},
         {"lost", value(conflict.loser)}});
  }
  return body.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

std::optional<Grid> ExplainGrid(std::string_view json) {
  const Json body = Parse(json);
  const Json* cells = Array(body, "cells");
  const Json* conflicts = Array(body, "conflicts");
  if (cells == nullptr || conflicts == nullptr) return std::nullopt;
  Grid grid{{"FIELD", "VALUE", "RULE", "GENERATION", "VERSION", "WRITTEN AT", "REGION",
             "IN EVERY REGION"},
            {}};
  for (const Json& cell : *cells) {
    if (!cell.is_object()) return std::nullopt;
    const std::string value = IsTrue(cell, "null") ? "(deleted)" : Member(cell, "value");
    grid.rows.push_back({{FieldName(cell)},
                         {Short(value)},
                         {Member(cell, "kind")},
                         Right(Member(cell, "generation")),
                         {Member(cell, "version")},
                         {Member(cell, "written_at")},
                         {Member(cell, "region")},
                         {IsTrue(cell, "stable") ? "yes" : "not known yet"}});
    if (const Json* added = Array(cell, "added")) {
      for (const Json& share : *added) {
        grid.rows.push_back({{"  added"},
                             {Member(share, "sum")},
                             {""},
                             {""},
                             {""},
                             {Member(share, "last_at")},
                             {Member(share, "region")},
                             {IsTrue(share, "stable") ? "yes" : "not known yet"}});
      }
    }
  }
  for (const Json& each : *conflicts) {
    if (!each.is_object() || !HasSides(each)) return std::nullopt;
    grid.rows.push_back({{FieldName(each)},
                         {Short(Member(each["loser"], "value")), Tone::kWarn},
                         {"gave way"},
                         {""},
                         {Member(each["loser"], "version")},
                         {Member(each["loser"], "written_at")},
                         {Member(each["loser"], "region")},
                         {"conflict " + Member(each, "id")}});
  }
  if (grid.rows.empty()) grid.rows.push_back({{"(nothing is held)"}});
  return grid;
}

// The regions, this one first: what each shows, and since when.
std::optional<Grid> ExplainRegionsGrid(std::string_view json) {
  const Json body = Parse(json);
  const Json* peers = Array(body, "peers");
  if (peers == nullptr || !body.contains("state")) return std::nullopt;
  Grid grid{{"REGION", "STATE", "VERSION", "LAST ARRIVAL", "SHOWS THE SAME"}, {}};
  const auto add = [&grid](const Json& part, GridCell same) {
    std::string last;
    if (const Json* cells = Array(part, "cells")) {
      for (const Json& cell : *cells) last = std::max(last, Member(cell, "arrived_at"));
    }
    grid.rows.push_back({{Member(part, "region")},
                         {Member(part, "state")},
                         {Member(part, "version")},
                         {last},
                         std::move(same)});
  };
  add(body, {"(asked here)"});
  for (const Json& peer : *peers) {
    if (!peer.is_object()) return std::nullopt;
    if (!IsTrue(peer, "answered")) {
      grid.rows.push_back({{Member(peer, "region")},
                           {"?", Tone::kWarn},
                           {""},
                           {""},
                           {Member(peer, "detail"), Tone::kWarn}});
    } else {
      add(peer, IsTrue(peer, "same") ? GridCell{"yes", Tone::kGood} : GridCell{"no", Tone::kWarn});
    }
  }
  return grid;
}

std::optional<Grid> ResolvedGrid(std::string_view json) {
  const Json body = Parse(json);
  if (!body.is_object() || !body.contains("before") || !body.contains("after")) return std::nullopt;
  Grid grid{{"TABLE", "KEY", "FIELD", "BEFORE", "NOW", "VERSION"}, {}};
  grid.rows.push_back({{Member(body, "table")},
                       {Member(body, "key")},
                       {FieldName(body)},
                       {Short(Member(body, "before"))},
                       {Short(Member(body, "after")), Tone::kGood},
                       {Member(body, "version")}});
  return grid;
}

std::optional<Grid> AuditGrid(std::string_view json) {
  const Json body = Parse(json);
  const Json* entries = Array(body, "entries");
  if (entries == nullptr) return std::nullopt;
  Grid grid{
      {"SEQ", "AT", "WHO", "REGION", "WHAT", "TABLE", "KEY", "FIELD", "BEFORE", "AFTER", "REASON"},
      {}};
  for (const Json& each : *entries) {
    if (!each.is_object()) return std::nullopt;
    grid.rows.push_back({Right(Member(each, "seq")),
                         {Member(each, "at")},
                         {Member(each, "by")},
                         {Member(each, "region")},
                         {Member(each, "what")},
                         {Member(each, "table")},
                         {Short(Member(each, "key"))},
                         {FieldName(each)},
                         {Short(Member(each, "before"))},
                         {Short(Member(each, "after"))},
                         {Short(Member(each, "reason"))}});
  }
  return grid;
}

std::string NextPageToken(std::string_view json) {
  const Json body = Parse(json);
  const bool more = body.is_object() && body.contains("next_page_token");
  return more ? Member(body, "next_page_token") : std::string();
}

std::optional<AuditChain> ReadAuditChain(std::string_view json) {
  const Json body = Parse(json);
  if (!body.is_object() || !body.contains("chain") || !body["chain"].is_object()) {
    return std::nullopt;
  }
  const Json& chain = body["chain"];
  return AuditChain{IsTrue(chain, "verified"), Member(chain, "broken_at"), Member(chain, "length")};
}

std::optional<std::string> ResolutionBody(const std::string& take,
                                          const std::optional<std::string>& value,
                                          const std::string& reason) {
  if (!IsUtf8(reason)) return std::nullopt;
  Json body = {{"reason", reason}};
  if (!value) {
    body["take"] = take;
  } else if (IsUtf8(*value)) {
    body["take"] = Json{{"value", *value}};
  } else {
    body["take"] = Json{{"value", Json{{"base64", ToBase64(*value)}}}};
  }
  return body.dump();
}

namespace {

Grid EmptyHomeGrid() {
  return {{"UNIT", "HOME", "EPOCH", "STATE", "TAKEN OVER"}, {}};
}

void AddHomeRow(const Json& home, Grid& grid) {
  const bool pending = Member(home, "state") != "confirmed";
  const bool taken_over = home.contains("taken_over") && home["taken_over"] == true;
  grid.rows.push_back({{Short(TextOf(home, "unit").value_or("?"))},
                       {Member(home, "home")},
                       {Member(home, "epoch")},
                       {Member(home, "state"), pending ? Tone::kWarn : Tone::kGood},
                       {taken_over ? "yes" : "no"}});
}

}  // namespace

std::optional<Grid> HomeGrid(std::string_view json) {
  const Json body = Parse(json);
  if (!body.is_object() || !body.contains("epoch")) return std::nullopt;
  Grid grid = EmptyHomeGrid();
  AddHomeRow(body, grid);
  return grid;
}

std::optional<Grid> HomesGrid(std::string_view json) {
  const Json body = Parse(json);
  if (!body.is_object() || !body.contains("homes") || !body["homes"].is_array()) {
    return std::nullopt;
  }
  Grid grid = EmptyHomeGrid();
  for (const Json& home : body["homes"]) {
    if (!home.is_object()) return std::nullopt;
    AddHomeRow(home, grid);
  }
  return grid;
}

std::optional<std::vector<ListedHome>> ReadHomes(std::string_view json) {
  const Json body = Parse(json);
  if (!body.is_object() || !body.contains("homes") || !body["homes"].is_array()) {
    return std::nullopt;
  }
  std::vector<ListedHome> homes;
  for (const Json& home : body["homes"]) {
    if (!home.is_object()) return std::nullopt;
    auto unit = TextOf(home, "unit");
    if (!unit) return std::nullopt;
    homes.push_back({std::move(*unit), Member(home, "home")});
  }
  return homes;
}

std::optional<std::string> MoveBody(const std::string& region, const std::string& reason,
                                    bool force) {
  try {
    return Json{{"region", region}, {"reason", reason}, {"force", force}}.dump();
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

std::string ProblemDetail(std::string_view json) {
  const Json body = Parse(json);
  if (body.is_object() && (body.contains("detail") || body.contains("title"))) {
    const std::string detail = Member(body, body.contains("detail") ? "detail" : "title");
    return body.contains("code") ? Member(body, "code") + ": " + detail : detail;
  }
  return std::string(json.substr(0, 200));
}

std::optional<std::string> LagOver(std::string_view json, std::int64_t max_ms) {
  const Json body = Parse(json);
  const Json* lag = Array(body, "lag");
  if (lag == nullptr) return std::nullopt;
  std::string over;
  for (const Json& way : *lag) {
    if (!way.is_object()) return std::nullopt;
    const std::string link = Member(way, "link");
    const double behind_ms = Number(way, "behind_seconds") * 1000;
    const bool reachable = link == "up" || link == "slow";
    if (reachable && behind_ms <= static_cast<double>(max_ms)) continue;
    if (!over.empty()) over += "; ";
    over += Member(way, "peer") + ' ' + Member(way, "direction") + ": " +
            (reachable ? Member(way, "behind_seconds") + " s behind" : "link " + link);
  }
  return over;
}

bool IsDegraded(std::string_view json) {
  const Json body = Parse(json);
  return body.is_object() && body.contains("acks") && body["acks"].is_object() &&
         IsTrue(body["acks"], "degraded");
}

std::optional<std::string> FieldsBody(
    const std::vector<std::pair<std::string, std::string>>& fields) {
  Json object = Json::object();
  for (const auto& [name, value] : fields) {
    if (!IsUtf8(name)) return std::nullopt;
    if (IsUtf8(value)) {
      object[name] = value;
    } else {
      object[name] = Json{{"base64", ToBase64(value)}};
    }
  }
  return Json{{"fields", object}}.dump();
}

}  // namespace hawser::ctl
