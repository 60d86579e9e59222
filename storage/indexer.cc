#include "storage/indexer.h"

#include "conflict/record_codec.h"
#include "storage/apply.h"
#include "storage/index_table.h"

namespace hawser {
namespace {

Shown ShownIn(const Record& record, std::string_view name) {
  const Field* field = record.Find(name);
  return field ? Show(*field) : Shown{};
}

std::string_view TextOf(const Shown& shown) {
  return shown.is_counter ? std::string_view(shown.text) : shown.value;
}

}  // namespace

// A record that expires may have been dropped, and its entries with it, and have come back by a
// crash without them: a checkpoint removes entries before it removes records.
void Indexer::Look(const IndexSet::Fields& fields, const Record& record) {
  before_.clear();
  for (const std::string& name : fields) before_.push_back(ShownIn(record, name));
  may_lack_ = ExpiryMs(record).has_value();
}

void Indexer::Derive(const IndexSet::Fields& fields, std::string_view table, std::string_view key,
                     const Record& record, Lsn lsn, RowTable& rows) {
  if (!IsIndexable(key)) return;
  const auto same = [](const Shown& was, const Shown& is) {
    return was.visible && is.visible && TextOf(was) == TextOf(is);
  };
  // What goes goes first: should two fields' hashes be one, a value that moved between them stays.
  auto before = before_.begin();
  for (const std::string& name : fields) {
    const Shown& was = *before++;
    if (!was.visible || same(was, ShownIn(record, name))) continue;
    row_key_.clear();
    AppendIndexEntry(table, name, TextOf(was), key, row_key_);
    rows.Remove(row_key_, lsn);
  }
  before = before_.begin();
  for (const std::string& name : fields) {
    const Shown& was = *before++;
    const Shown is = ShownIn(record, name);
    if (!is.visible || (same(was, is) && !may_lack_)) continue;
    row_key_.clear();
    AppendIndexEntry(table, name, TextOf(is), key, row_key_);
    rows.Put(row_key_, lsn, IndexEntryBytes());
  }
}

void ForEachIndexEntry(const IndexSet& indexes, std::string_view row_key, std::string_view bytes,
                       const std::function<void(std::string_view entry)>& visit) {
  const RowKey row = SplitRowKey(row_key);
  const IndexSet::Fields* fields = indexes.Find(row.table);
  Record record;
  if (!fields || !IsIndexable(row.key) || !DecodeRecord(bytes, record)) return;
  std::string entry;
  for (const std::string& name : *fields) {
    const Shown shown = ShownIn(record, name);
    if (!shown.visible) continue;
    entry.clear();
    AppendIndexEntry(row.table, name, TextOf(shown), row.key, entry);
    visit(entry);
  }
}

}  // namespace hawser
