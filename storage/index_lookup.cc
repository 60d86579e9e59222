#include "storage/index_lookup.h"

#include <algorithm>

#include "conflict/declaration.h"
#include "conflict/record_codec.h"
#include "storage/index_table.h"

namespace hawser {
namespace {

std::optional<IndexRefusal> Unready(View& view, const IndexQuery& query) {
  IndexState state;
  if (const auto bytes = view.Get(IndexStateKey(query.table, query.field))) {
    state = ParseIndexState(*bytes).value_or(IndexState{});
  }
  if (state.ready) return std::nullopt;

  std::string row_key;
  AppendRowKey(kDeclarationTable, TableDeclarationKey(query.table), row_key);
  Schema schema;
  Record row;
  if (const auto bytes = view.Get(row_key); bytes && DecodeRecord(*bytes, row)) {
    TakeDeclaration(SplitRowKey(row_key).key, row, schema);
  }
  const TableRule& table = schema.tables[std::string(query.table)];
  if (table.index.contains(query.field)) {
    return IndexRefusal{IndexRefusal::Why::kBuilding, state.looked_at, {}};
  }
  return IndexRefusal{IndexRefusal::Why::kNotDeclared, 0, {table.index.begin(), table.index.end()}};
}

}  // namespace

std::string Text(const IndexRefusal& refusal, const IndexQuery& query) {
  const std::string table(query.table), field(query.field);
  switch (refusal.why) {
    case IndexRefusal::Why::kBuilding:
      return "the index of table \"" + table + "\" over \"" + field + "\" is being built, " +
             std::to_string(refusal.looked_at) + " records so far: ask again";
    case IndexRefusal::Why::kDamaged:
      return "a record is damaged on this region's disk: ask in another region";
    case IndexRefusal::Why::kNotDeclared:
      break;
  }
  std::string text = "table \"" + table + "\" has no index over \"" + field + "\"; ";
  if (refusal.declared.empty()) {
    text += "it has none at all";
  } else {
    text += "it has one over";
    for (const std::string& each : refusal.declared) text += " \"" + each + "\"";
  }
  return text + ". An index is declared by `index` of [[tables]]";
}

std::expected<IndexPage, IndexRefusal> LookUp(View& view, const IndexQuery& query) {
  if (auto unready = Unready(view, query)) return std::unexpected(std::move(*unready));
  std::string prefix;
  AppendIndexPrefix(query.table, query.field, query.value, prefix);
  std::string start = prefix;
  if (query.after) start.append(*query.after).push_back('\0');

  // A few more than asked for: some may be no hits.
  const std::size_t entries_max = std::min(kIndexEntriesMax, 2 * query.keys_max + 16);
  std::vector<std::string> candidates;
  bool more = false;
  view.Scan(start, [&](std::string_view row_key, std::string_view) {
    if (!row_key.starts_with(prefix)) return false;
    if (candidates.size() == entries_max) {
      more = true;
      return false;
    }
    candidates.emplace_back(row_key.substr(prefix.size()));
    return true;
  });

  IndexPage page;
  Record record;
  std::string row_key;
  std::string last;  // looked at
  std::size_t bytes_read = 0;
  for (const std::string& key : candidates) {
    if (page.keys.size() == query.keys_max || bytes_read >= kLookUpBytesMax) {
      page.next = last;
      return page;
    }
    last = key;
    row_key.clear();
    AppendRowKey(query.table, key, row_key);
    const auto bytes = view.Get(row_key);
    if (!bytes) continue;
    bytes_read += bytes->size();
    if (!DecodeRecord(*bytes, record)) {
      return std::unexpected(IndexRefusal{IndexRefusal::Why::kDamaged, 0, {}});
    }
    if (!IsAlive(record, query.now_ms)) continue;
    const Field* field = record.Find(query.field);
    const Shown shown = field ? Show(*field) : Shown{};
    if (!shown.visible || (shown.is_counter ? shown.text : shown.value) != query.value) continue;
    page.keys.push_back(key);
  }
  if (view.damaged()) return std::unexpected(IndexRefusal{IndexRefusal::Why::kDamaged, 0, {}});
  if (more) page.next = std::move(candidates.back());
  return page;
}

}  // namespace hawser
