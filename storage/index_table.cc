#include "storage/index_table.h"

#include <xxhash.h>

#include "conflict/bytes.h"
#include "conflict/record_codec.h"
#include "conflict/schema.h"

namespace hawser {
namespace {

// The table's name, a zero byte, two hashes.
constexpr std::size_t kEntryHeadBytes = kIndexTable.size() + 1 + 8 + 16;
static_assert(kEntryHeadBytes + kKeyBytesMax <= kRowKeyBytesMax);
constexpr std::string_view kAfter = "after";
constexpr std::string_view kLookedAt = "looked_at";
constexpr std::string_view kReady = "ready";

// No txn wrote these rows.
void AddField(std::string_view name, std::string_view value, Record& record) {
  Field& field = record.fields.emplace_back();
  field.name = name;
  field.has_cell = true;
  field.cell = Cell{.null = false, .value = value};
  field.cell.dot.origin.region = field.cell.version.region = RegionId{1};
}

std::string MakeEntryBytes() {
  Record record;
  AddField("", "1", record);
  std::string out;
  EncodeRecord(record, out);
  return out;
}

}  // namespace

bool IsIndexable(std::string_view key) {
  return kEntryHeadBytes + key.size() <= kRowKeyBytesMax;
}

void AppendIndexPrefix(std::string_view table, std::string_view field, std::string_view value,
                       std::string& row_key) {
  AppendRowKey(kIndexTable, "", row_key);
  std::string name(table);
  name.push_back('\0');
  name.append(field);
  PutFixed64(row_key, XXH3_64bits(name.data(), name.size()));
  const XXH128_hash_t hash = XXH3_128bits(value.data(), value.size());
  PutFixed64(row_key, hash.high64);
  PutFixed64(row_key, hash.low64);
}

void AppendIndexEntry(std::string_view table, std::string_view field, std::string_view value,
                      std::string_view key, std::string& row_key) {
  AppendIndexPrefix(table, field, value, row_key);
  row_key.append(key);
}

std::string IndexStateKey(std::string_view table, std::string_view field) {
  std::string row_key;
  AppendRowKey(kIndexStateTable, table, row_key);
  row_key.push_back('\0');
  row_key.append(field);
  return row_key;
}

bool IsIndexEntry(std::string_view row_key) {
  return row_key.size() > kIndexTable.size() && row_key.starts_with(kIndexTable) &&
         row_key[kIndexTable.size()] == '\0';
}

std::optional<std::string_view> KeyOfIndexEntry(std::string_view row_key) {
  if (!IsIndexEntry(row_key) || row_key.size() < kEntryHeadBytes) return std::nullopt;
  return row_key.substr(kEntryHeadBytes);
}

const std::string& IndexEntryBytes() {
  static const std::string bytes = MakeEntryBytes();
  return bytes;
}

std::string EncodeIndexState(const IndexState& state) {
  const std::string looked_at = std::to_string(state.looked_at);
  Record record;
  if (!state.ready) AddField(kAfter, state.after, record);
  AddField(kLookedAt, looked_at, record);
  if (state.ready) AddField(kReady, "1", record);
  std::string out;
  EncodeRecord(record, out);
  return out;
}

std::optional<IndexState> ParseIndexState(std::string_view bytes) {
  Record record;
  if (!DecodeRecord(bytes, record)) return std::nullopt;
  const Field* looked_at = record.Find(kLookedAt);
  const auto count = looked_at ? ParseInt(looked_at->cell.value) : std::nullopt;
  if (!count || *count < 0) return std::nullopt;
  IndexState state;
  state.ready = record.Find(kReady) != nullptr;
  state.looked_at = static_cast<std::uint64_t>(*count);
  if (const Field* after = record.Find(kAfter)) state.after = after->cell.value;
  return state;
}

}  // namespace hawser
