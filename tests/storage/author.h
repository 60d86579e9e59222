#pragma once

// Helpers for tests that write to stores: a local write through LocalTxn, and the same txn applied
// in another region's store.

#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conflict/record_codec.h"
#include "conflict/schema.h"
#include "storage/local_txn.h"
#include "storage/store.h"

namespace hawser::test {

inline constexpr std::uint64_t kCluster = 77;

struct Shipped {
  Origin origin;
  Seq seq{};
  std::uint64_t hash = 0;
  std::string bytes;
};

inline Stamp StampAt(std::int64_t ms, std::uint64_t counter = 0) {
  return Stamp{Stamp::FromMs(ms).raw + counter};
}

// Stages what `local` holds; commits nothing. Seq 0: it holds nothing.
inline Shipped StageTxn(Store& store, std::int64_t now_ms, LocalTxn& local) {
  const Origin self = store.self();
  Txn txn;
  txn.stamp = StampAt(now_ms, Raw(store.applied().Get(self)) + 1);
  for (const Dot& dot : store.applied().dots()) {
    if (dot.origin != self) txn.deps.Raise(dot);
  }
  txn.changes = local.Finish();
  txn.type = local.type;
  if (txn.changes.empty()) return {};
  Shipped shipped{.origin = self, .seq = Next(store.applied().Get(self)), .bytes = {}};
  EncodeTxn(txn, shipped.bytes);
  const auto before = store.HashAt(self, Before(shipped.seq));
  REQUIRE(before);
  shipped.hash = HashNext(*before, shipped.bytes);
  std::vector<Discarded> discarded;
  store.Apply({.origin = self,
               .seq = shipped.seq,
               .hash = shipped.hash,
               .bytes = shipped.bytes,
               .applied_ms = now_ms + 7},
              txn, discarded);
  return shipped;
}

// Stages a local write made by `write`; commits nothing.
inline Shipped StageLocal(Store& store, std::int64_t now_ms,
                          const std::function<void(LocalTxn&)>& write) {
  static const Schema schema;
  LocalTxn local(store, schema, now_ms);
  write(local);
  return StageTxn(store, now_ms, local);
}

inline Shipped StageSet(Store& store, std::string_view key, std::string_view value,
                        std::int64_t now_ms) {
  return StageLocal(store, now_ms, [&](LocalTxn& txn) {
    REQUIRE(txn.Edit("t", key).ReplaceWith(kStringField, value));
  });
}
inline Shipped StageDelete(Store& store, std::string_view key, std::int64_t now_ms) {
  return StageLocal(store, now_ms, [&](LocalTxn& txn) { txn.Edit("t", key).DeleteAll(); });
}

// Stages what another region wrote.
inline std::size_t StageReceived(Store& store, const Shipped& shipped) {
  Txn txn;
  REQUIRE(DecodeTxn(shipped.bytes, txn));
  std::vector<Discarded> discarded;
  store.Apply({shipped.origin, shipped.seq, shipped.hash, shipped.bytes}, txn, discarded);
  return discarded.size();
}

inline void MustCommit(Store& store, Stamp ceiling = {}) {
  REQUIRE(store.Commit(ceiling));
}
inline Shipped Set(Store& store, std::string_view key, std::string_view value,
                   std::int64_t now_ms) {
  Shipped shipped = StageSet(store, key, value, now_ms);
  MustCommit(store);
  return shipped;
}
inline void Receive(Store& store, const Shipped& shipped) {
  StageReceived(store, shipped);
  MustCommit(store);
}

inline std::string RowKeyOf(std::string_view table, std::string_view key) {
  std::string row_key;
  AppendRowKey(table, key, row_key);
  return row_key;
}

// What a reader sees of the plain string at `key` in table "t"; nullopt: nothing.
inline std::optional<std::string> TextIn(std::optional<std::string_view> bytes) {
  if (!bytes) return std::nullopt;
  Record record;
  REQUIRE(DecodeRecord(*bytes, record));
  const Field* field = record.Find(kStringField);
  if (!field) return std::nullopt;
  Shown shown = Show(*field);
  if (!shown.visible) return std::nullopt;
  return shown.is_counter ? shown.text : std::string(shown.value);
}
inline std::optional<std::string> Get(Store& store, std::string_view key) {
  return TextIn(store.Read(RowKeyOf("t", key)));
}
inline std::optional<std::string> Get(View& view, std::string_view key) {
  return TextIn(view.Get(RowKeyOf("t", key)));
}

using Rows = std::map<std::string, std::string>;
inline Rows AllRows(Store& store) {
  Rows rows;
  store.ScanNewest("", [&](std::string_view row_key, std::string_view record) {
    CHECK(rows.emplace(row_key, record).second);
    return true;
  });
  return rows;
}
inline Rows AllRows(View& view) {
  Rows rows;
  view.Scan("", [&](std::string_view row_key, std::string_view record) {
    CHECK(rows.emplace(row_key, record).second);
    return true;
  });
  return rows;
}

// Everything applied is known to every member.
inline Stable AllStable(const Store& store, std::int64_t clock_ms) {
  return Stable{store.applied(), clock_ms};
}

}  // namespace hawser::test
