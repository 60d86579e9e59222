#include "storage/index_builder.h"

#include "conflict/record_codec.h"

namespace hawser {

bool IndexBuilder::Choose(const IndexSet& indexes, const IndexSet::Scan& scan) {
  ready_ = 0;
  for (const auto& [table, fields] : indexes.tables()) {
    for (const std::string& field : fields) {
      const std::string state_key = IndexStateKey(table, field);
      std::optional<IndexState> state;
      scan(state_key, [&](std::string_view row_key, std::string_view bytes) {
        if (row_key == state_key) state = ParseIndexState(bytes);
        return false;
      });
      if (state && state->ready) {
        ++ready_;
        continue;
      }
      table_ = table;
      field_ = field;
      state_ = state.value_or(IndexState{});
      return true;
    }
  }
  return false;
}

IndexBuilder::Piece IndexBuilder::Next(const IndexSet& indexes, const IndexSet::Scan& scan,
                                       std::uint32_t records_max) {
  Piece piece;
  if (!chosen_) {
    chosen_ = Choose(indexes, scan);
    if (!chosen_) return piece;
  }
  std::string start;
  AppendRowKey(table_, state_.after, start);
  if (!state_.after.empty()) start.push_back('\0');  // behind it
  Record record;
  std::uint32_t looked_at = 0;
  std::size_t bytes_seen = 0;
  bool more = false;
  scan(start, [&](std::string_view row_key, std::string_view bytes) {
    const RowKey row = SplitRowKey(row_key);
    if (row.table != table_) return false;
    if (looked_at == records_max || bytes_seen >= kPieceBytes) {
      more = true;
      return false;
    }
    ++looked_at;
    bytes_seen += bytes.size();
    state_.after = row.key;
    if (!IsIndexable(row.key)) return true;
    if (!DecodeRecord(bytes, record)) return true;  // whoever reads it finds the damage
    const Field* field = record.Find(field_);
    const Shown shown = field ? Show(*field) : Shown{};
    if (!shown.visible) return true;
    AppendIndexEntry(table_, field_, shown.is_counter ? shown.text : shown.value, row.key,
                     piece.entries.emplace_back());
    return true;
  });
  state_.looked_at += looked_at;
  state_.ready = !more;
  piece.state_key = IndexStateKey(table_, field_);
  piece.state_row = EncodeIndexState(state_);
  chosen_ = more;
  return piece;
}

}  // namespace hawser
