// What is asked of the audit log. Every page is checked against the chain while it is read.

#include <string>
#include <vector>

#include "conflict/record_codec.h"
#include "daemon/admin/api.h"
#include "daemon/admin/conflict_json.h"
#include "daemon/admin/record_json.h"
#include "daemon/admin/text.h"
#include "homing/home.h"
#include "storage/audit_log.h"
#include "storage/resolution.h"

namespace hawser::admin {
namespace {

constexpr std::uint64_t kLimitMax = 1000;

struct Entry {
  std::uint64_t seq = 0;
  std::string bytes, hash;
};

std::optional<AuditHead> ReadHead(View& view) {
  std::string row_key;
  AppendRowKey(kAuditHeadTable, "", row_key);
  Record record;
  const auto bytes = view.Get(row_key);
  if (!bytes || !DecodeRecord(*bytes, record)) return std::nullopt;
  return ParseAuditHead(record);
}

// Entries from `seq` down, at most `count`.
std::vector<Entry> ReadEntries(View& view, std::uint64_t seq, std::uint64_t count) {
  std::vector<Entry> entries;
  std::string start;
  AppendRowKey(kAuditTable, AuditKey(seq), start);
  Record record;
  view.Scan(start, [&](std::string_view row_key, std::string_view bytes) {
    const RowKey row = SplitRowKey(row_key);
    if (row.table != kAuditTable || entries.size() == count) return false;
    const auto at = ParseAuditKey(row.key);
    const auto held = DecodeRecord(bytes, record) ? ParseAuditRow(record) : std::nullopt;
    if (!at || !held) return true;  // found missing by the chain
    entries.push_back({*at, std::string(held->entry), std::string(held->hash)});
    return true;
  });
  return entries;
}

// The newest seq at which the chain does not hold, 0 if it does. `entries`: from `seq` down, with
// one more than what is judged, if there is one.
std::uint64_t BrokenAt(const std::vector<Entry>& entries, std::uint64_t seq, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count && seq > i; ++i) {
    const std::uint64_t wanted = seq - i;
    if (i >= entries.size() || entries[i].seq != wanted) return wanted;
    std::string before;
    if (wanted > 1) {
      if (i + 1 >= entries.size() || entries[i + 1].seq != wanted - 1) return wanted - 1;
      before = entries[i + 1].hash;
    }
    if (entries[i].hash != AuditHash(before, entries[i].bytes)) return wanted;
  }
  return 0;
}

std::string Hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += kDigits[static_cast<std::uint8_t>(c) >> 4];
    out += kDigits[static_cast<std::uint8_t>(c) & 15];
  }
  return out;
}

void WriteHomeMove(const AuditEntry& entry, const RegionNames& region_name, JsonWriter& json) {
  const std::size_t zero = entry.subject.find('\0');
  json.Member("table", entry.subject.substr(0, zero));
  json.Key("unit");
  WriteValue(zero == std::string_view::npos ? "" : entry.subject.substr(zero + 1), json);
  if (const auto word = ParseHomeWord(entry.content)) {
    json.Member("by", word->by);
    json.Member("reason", word->reason);
    json.Member("to", region_name(word->region));
  }
}

void WriteEntry(const Entry& entry, const RegionNames& region_name, JsonWriter& json) {
  json.BeginObject();
  json.Key("seq");
  json.Uint64Text(entry.seq);
  const auto read = DecodeAuditEntry(entry.bytes);
  const bool is_home = read && read->what.starts_with("home.");
  const auto resolution = read && !is_home ? DecodeResolution(read->content) : std::nullopt;
  if (read) {
    json.Member("at", FormatTime(read->at_ms));
    json.Member("what", read->what);
    json.Member("region", region_name(read->region));
    if (!is_home) json.Member("subject", read->subject);
  }
  if (is_home) WriteHomeMove(*read, region_name, json);
  if (resolution) {
    json.Member("by", resolution->by);
    json.Member("reason", resolution->reason);
    json.Member("take", Text(resolution->take));
    json.Member("table", resolution->table);
    json.Key("key");
    WriteValue(resolution->key, json);
    json.Key("field");
    resolution->expiry ? json.Null() : WriteValue(resolution->field, json);
    json.Key("before");
    WriteResolvedText(resolution->before, json);
    json.Key("after");
    WriteResolvedText(resolution->after, json);
  }
  json.Member("hash", Hex(entry.hash));
  json.EndObject();
}

}  // namespace

void Api::ListAudit(Call call) {
  const auto bad = [&call](std::string detail) {
    call.Fail({.status = 400, .code = "BADREQUEST", .detail = std::move(detail)});
  };
  std::uint64_t limit = 100;
  if (const std::string* text = call.target.Query("limit")) {
    const auto number = ParseUint(*text, kLimitMax);
    if (!number || *number == 0) return bad("`limit` is a number from 1 to 1000");
    limit = *number;
  }
  const std::unique_ptr<View> view = reader_->Take();
  const auto head = ReadHead(*view);
  const std::uint64_t newest = head ? head->seq : 0;
  std::uint64_t from = newest;
  if (const std::string* token = call.target.Query("page_token")) {
    const auto text = FromBase64Url(*token);
    const auto seq =
        text && text->starts_with('a') ? ParseUint(text->substr(1), UINT64_MAX - 1) : std::nullopt;
    if (!seq || *seq == 0) {
      return bad("`page_token` must be the `next_page_token` of the page before");
    }
    from = std::min(newest, *seq);
  }
  const std::vector<Entry> entries = ReadEntries(*view, from, limit + 1);
  std::uint64_t broken_at = BrokenAt(entries, from, limit);
  // The head says what the newest must be.
  const bool at_head = from == newest && newest > 0;
  if (at_head && !broken_at && entries.front().hash != head->hash) broken_at = newest;
  if (!head && !entries.empty()) broken_at = 1;

  JsonWriter json;
  json.BeginObject();
  json.Key("entries");
  json.BeginArray();
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(limit, entries.size()); ++i) {
    WriteEntry(entries[i], [this](RegionId id) { return RegionName(id); }, json);
  }
  json.EndArray();
  json.Key("chain");
  json.BeginObject();
  json.Key("verified");
  json.Bool(broken_at == 0);
  json.Key("broken_at");
  broken_at == 0 ? json.Null() : json.Uint64Text(broken_at);
  json.Key("length");
  json.Uint64Text(newest);
  json.Member("head", head ? Hex(head->hash) : std::string());
  json.EndObject();
  if (from > limit) json.Member("next_page_token", ToBase64Url('a' + std::to_string(from - limit)));
  json.EndObject();
  call.Send({.body = json.Take()});
}

}  // namespace hawser::admin
