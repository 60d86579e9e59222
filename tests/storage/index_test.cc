// Secondary keys, on each of the stores.

#include <doctest/doctest.h>

#include <cstdlib>
#include <random>
#include <set>

#include "conflict/declaration.h"
#include "storage/declare.h"
#include "storage/index_lookup.h"
#include "storage/index_table.h"
#include "tests/storage/harness.h"
#include "tests/storage/harness_list.h"

namespace hawser::test {
namespace {

constexpr std::string_view kMail = "email";

Schema Indexed(const std::set<std::string>& fields) {
  Schema schema;
  for (const std::string& field : fields) schema.tables["t"].index.insert(field);
  return schema;
}

Shipped StageDeclaration(Store& store, std::int64_t now_ms,
                         const std::set<std::string>& fields = {std::string(kMail)}) {
  Schema internal;
  AddInternalRules(internal);
  LocalTxn local(store, internal, now_ms);
  REQUIRE(Declare(Indexed(fields), local).contradictions.empty());
  local.type = TxnType::kDeclaration;
  return StageTxn(store, now_ms, local);
}

void DeclareIndex(Store& store, std::int64_t now_ms,
                  const std::set<std::string>& fields = {std::string(kMail)}) {
  StageDeclaration(store, now_ms, fields);
  MustCommit(store);
}

Shipped SetField(Store& store, std::string_view key, std::string_view field, std::string_view value,
                 std::int64_t now_ms) {
  Shipped shipped = StageLocal(
      store, now_ms, [&](LocalTxn& txn) { REQUIRE(txn.Edit("t", key).Set(field, value)); });
  MustCommit(store);
  return shipped;
}

std::expected<IndexPage, IndexRefusal> Ask(Store& store, std::string_view value,
                                           std::int64_t now_ms = 0, std::size_t keys_max = 100,
                                           std::optional<std::string_view> after = {},
                                           std::string_view field = kMail) {
  const auto reader = store.NewReader();
  const auto view = reader->Take();
  return LookUp(*view, {.table = "t",
                        .field = field,
                        .value = value,
                        .after = after,
                        .keys_max = keys_max,
                        .now_ms = now_ms});
}

using Keys = std::vector<std::string>;
Keys Found(Store& store, std::string_view value, std::int64_t now_ms = 0) {
  const auto page = Ask(store, value, now_ms, 1000);
  REQUIRE(page);
  CHECK(!page->next);
  return page->keys;
}

void BuildAll(Store& store) {
  for (int i = 0; i < 500 && !Ask(store, "x"); ++i) REQUIRE(store.Upkeep());
  REQUIRE(Ask(store, "x"));
}

using Entries = std::set<std::string>;
Entries EntriesIn(const Rows& rows) {
  Entries entries;
  for (const auto& [row_key, bytes] : rows) {
    if (!IsIndexEntry(row_key)) continue;
    CHECK(bytes == IndexEntryBytes());
    entries.insert(row_key);
  }
  return entries;
}

// What the records say should be there. `now_ms`: records that have expired then are left out.
Entries EntriesOf(const Rows& rows, const std::set<std::string>& fields, std::int64_t now_ms) {
  Entries entries;
  for (const auto& [row_key, bytes] : rows) {
    const RowKey row = SplitRowKey(row_key);
    if (row.table != "t") continue;
    Record record;
    REQUIRE(DecodeRecord(bytes, record));
    if (IsExpired(record, now_ms)) continue;
    for (const std::string& name : fields) {
      const Field* field = record.Find(name);
      const Shown shown = field ? Show(*field) : Shown{};
      if (!shown.visible) continue;
      std::string entry;
      AppendIndexEntry("t", name, shown.is_counter ? std::string_view(shown.text) : shown.value,
                       row.key, entry);
      entries.insert(entry);
    }
  }
  return entries;
}

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();

// Nothing stale, nothing missing. A record that has expired for everybody may have lost its entry.
void CheckExact(Store& store, const std::set<std::string>& fields, std::int64_t stable_ms) {
  const Rows rows = AllRows(store);
  const Entries entries = EntriesIn(rows);
  const Entries all = EntriesOf(rows, fields, kNever);
  for (const std::string& entry : entries) CHECK(all.contains(entry));
  for (const std::string& entry : EntriesOf(rows, fields, stable_ms))
    CHECK(entries.contains(entry));
}

TEST_CASE_TEMPLATE("a record is found by its field as soon as it is there", H, HARNESSES) {
  H h;
  DeclareIndex(h.store(), 10);
  BuildAll(h.store());
  SetField(h.store(), "c1", kMail, "a@x", 20);
  SetField(h.store(), "c2", kMail, "a@x", 21);
  SetField(h.store(), "c3", kMail, "b@x", 22);

  CHECK(Found(h.store(), "a@x") == Keys{"c1", "c2"});

  SetField(h.store(), "c1", kMail, "b@x", 30);
  CHECK(Found(h.store(), "a@x") == Keys{"c2"});
  CHECK(Found(h.store(), "b@x") == Keys{"c1", "c3"});
  StageDelete(h.store(), "c3", 31);
  MustCommit(h.store());
  CHECK(Found(h.store(), "b@x") == Keys{"c1"});
  CHECK(Found(h.store(), "").empty());

  h.Crash();
  BuildAll(h.store());
  CHECK(Found(h.store(), "b@x") == Keys{"c1"});
  h.Settle();
  h.Crash();
  CHECK(Found(h.store(), "a@x") == Keys{"c2"});
  CHECK(Found(h.store(), "b@x") == Keys{"c1"});
}

TEST_CASE_TEMPLATE("what another region wrote is found when it is applied, the merged value only",
                   H, HARNESSES) {
  H h;
  auto other = OtherRegion(2);
  DeclareIndex(h.store(), 10);
  BuildAll(h.store());
  const Shipped theirs = SetField(*other, "c1", kMail, "theirs@x", 50);
  const Shipped older = SetField(*other, "c2", kMail, "older@x", 51);
  SetField(h.store(), "c1", kMail, "ours@x", 40);
  SetField(h.store(), "c2", kMail, "newer@x", 60);

  Receive(h.store(), theirs);
  Receive(h.store(), older);

  CHECK(Found(h.store(), "theirs@x") == Keys{"c1"});
  CHECK(Found(h.store(), "ours@x").empty());
  CHECK(Found(h.store(), "newer@x") == Keys{"c2"});
  CHECK(Found(h.store(), "older@x").empty());
}

TEST_CASE_TEMPLATE("an index declared over records that are there is built, and says so", H,
                   HARNESSES) {
  H h;
  for (int i = 0; i < 1000; ++i) {
    StageLocal(h.store(), 10 + i, [&](LocalTxn& txn) {
      REQUIRE(txn.Edit("t", "c" + std::to_string(i)).Set(kMail, std::to_string(i % 10)));
    });
  }
  MustCommit(h.store());
  const auto before = Ask(h.store(), "3");
  REQUIRE(!before);
  CHECK(before.error().why == IndexRefusal::Why::kNotDeclared);

  DeclareIndex(h.store(), 5000);
  const auto while_built = Ask(h.store(), "3");
  REQUIRE(!while_built);
  CHECK(while_built.error().why == IndexRefusal::Why::kBuilding);
  REQUIRE(h.store().Upkeep());
  const auto later = Ask(h.store(), "3");
  REQUIRE(!later);
  CHECK(later.error().why == IndexRefusal::Why::kBuilding);
  CHECK(later.error().looked_at > 0);
  SetField(h.store(), "c7", kMail, "3", 6000);    // looked at already
  SetField(h.store(), "c993", kMail, "4", 6001);  // not yet

  h.Crash();
  BuildAll(h.store());

  CHECK(Found(h.store(), "3").size() == 100);
  CHECK(Found(h.store(), "4").size() == 101);
  CheckExact(h.store(), {std::string(kMail)}, kNever);
  const auto other_field = Ask(h.store(), "3", 0, 100, {}, "phone");
  REQUIRE(!other_field);
  CHECK(other_field.error().why == IndexRefusal::Why::kNotDeclared);
  CHECK(other_field.error().declared == Keys{std::string(kMail)});
}

TEST_CASE_TEMPLATE("a second index is built beside the first", H, HARNESSES) {
  H h;
  DeclareIndex(h.store(), 10);
  BuildAll(h.store());
  SetField(h.store(), "c1", kMail, "a@x", 20);
  SetField(h.store(), "c1", "", "plain", 21);

  DeclareIndex(h.store(), 30, {"", std::string(kMail)});
  CHECK(Found(h.store(), "a@x") == Keys{"c1"});  // the first goes on meanwhile
  for (int i = 0; i < 100; ++i) REQUIRE(h.store().Upkeep());

  const auto page = Ask(h.store(), "plain", 0, 100, {}, "");
  REQUIRE(page);
  CHECK(page->keys == Keys{"c1"});
}

TEST_CASE_TEMPLATE("many records of one value come page by page, each once", H, HARNESSES) {
  H h;
  DeclareIndex(h.store(), 10);
  BuildAll(h.store());
  Keys all;
  for (int i = 100; i < 350; ++i) {
    all.push_back("c" + std::to_string(i));
    StageLocal(h.store(), 20 + i,
               [&](LocalTxn& txn) { REQUIRE(txn.Edit("t", all.back()).Set(kMail, "same")); });
  }
  MustCommit(h.store());

  Keys got;
  std::optional<std::string> after;
  int pages = 0;
  do {
    const auto page = Ask(h.store(), "same", 0, 30, after);
    REQUIRE(page);
    CHECK(page->keys.size() <= 30);
    got.insert(got.end(), page->keys.begin(), page->keys.end());
    after = page->next;
    REQUIRE(++pages < 20);
  } while (after);

  CHECK(got == all);
}

TEST_CASE_TEMPLATE("an expired record is no hit, and its entry goes when the record does", H,
                   HARNESSES) {
  H h;
  DeclareIndex(h.store(), 10);
  BuildAll(h.store());
  StageLocal(h.store(), 20, [&](LocalTxn& txn) {
    RecordEdit& edit = txn.Edit("t", "c1");
    REQUIRE(edit.Set(kMail, "a@x"));
    edit.SetExpiry(1000);
  });
  MustCommit(h.store());

  CHECK(Found(h.store(), "a@x", 999) == Keys{"c1"});
  CHECK(Found(h.store(), "a@x", 1000).empty());
  CHECK(EntriesIn(AllRows(h.store())).size() == 1);

  h.Settle();
  h.store().SetStable(AllStable(h.store(), 1000), {});
  h.Settle();
  CHECK(EntriesIn(AllRows(h.store())).empty());
  SetField(h.store(), "c1", kMail, "a@x", 2000);
  CHECK(Found(h.store(), "a@x", 2000) == Keys{"c1"});
}

TEST_CASE_TEMPLATE("values and keys of any bytes and any length are found", H, HARNESSES) {
  H h;
  DeclareIndex(h.store(), 10);
  BuildAll(h.store());
  const std::string long_value(100'000, 'v'), zeros("\0a\0", 3);
  const std::string long_key(kKeyBytesMax - 1, 'k'), key_with_zeros("a\0b\0", 4);
  SetField(h.store(), long_key, kMail, long_value, 20);
  SetField(h.store(), key_with_zeros, kMail, zeros, 21);
  SetField(h.store(), "empty", kMail, "", 22);
  h.Settle();

  CHECK(Found(h.store(), long_value) == Keys{long_key});
  CHECK(Found(h.store(), zeros) == Keys{key_with_zeros});
  CHECK(Found(h.store(), "") == Keys{"empty"});
}

TEST_CASE("the longest entry fits a row key") {
  const std::string table(kTableNameBytesMax, 't');
  const std::string key(kKeyBytesMax - kTableNameBytesMax, 'k');
  std::string entry;
  AppendIndexEntry(table, "field", "value", key, entry);
  CHECK(entry.size() <= kRowKeyBytesMax);
  CHECK(KeyOfIndexEntry(entry) == key);
  CHECK(IndexStateKey(table, std::string(kDeclaredNameBytesMax, 'f')).size() <= kRowKeyBytesMax);
}

// One history: writes of every sort here and elsewhere, an index declared in the middle of it,
// upkeep, dropping, checkpoints cut short, crashes at any moment.
template <typename H>
void RunHistory(std::uint64_t seed) {
  CAPTURE(seed);
  H h;
  auto other = OtherRegion(2);
  std::mt19937_64 random(seed);
  const auto roll = [&](std::uint64_t sides) { return random() % sides; };
  std::set<std::string> declared;
  std::int64_t now_ms = 1000, stable_ms = 0;
  const auto write = [&](Store& store) {
    const std::string key = "c" + std::to_string(roll(12));
    const std::string value = "v" + std::to_string(roll(4));
    return StageLocal(store, now_ms, [&](LocalTxn& txn) {
      RecordEdit& edit = txn.Edit("t", key);
      switch (roll(8)) {
        case 0:
          (void)edit.DeleteAll();
          break;
        case 1:
          (void)edit.Delete(kMail);
          break;
        case 2:
          (void)edit.Set(kMail, value);
          edit.SetExpiry(now_ms + 1 + static_cast<std::int64_t>(roll(60)));
          break;
        case 3:
          (void)edit.ReplaceWith("", value);
          break;
        case 4:
          (void)edit.Add("n", static_cast<std::int64_t>(roll(3)));
          break;
        case 5:
          if (edit.Alive()) (void)edit.ClearExpiry();
          break;
        default:
          (void)edit.Set(kMail, value);
      }
    });
  };
  for (int step = 0; step < 150; ++step) {
    now_ms += 1 + static_cast<std::int64_t>(roll(20));
    if (step == 40) {
      declared = {std::string(kMail)};
      DeclareIndex(h.store(), now_ms, declared);
    } else if (step == 90) {
      declared = {std::string(kMail), "n"};
      DeclareIndex(h.store(), now_ms, declared);
    }
    for (auto left = roll(4); left > 0; --left) {
      if (roll(3) == 0) {
        const Shipped shipped = write(*other);
        if (shipped.bytes.empty()) continue;
        MustCommit(*other);
        StageReceived(h.store(), shipped);
      } else {
        write(h.store());
      }
    }
    if (h.store().HasStaged() && roll(4) > 0) MustCommit(h.store(), StampAt(now_ms));
    if (!h.store().HasStaged() && roll(3) == 0) {
      // The other region has what we have, as far as our dropping is concerned.
      stable_ms = now_ms;
      h.store().SetStable(AllStable(h.store(), stable_ms), {});
    }
    switch (roll(6)) {
      case 0:
        if (!h.store().HasStaged()) h.Settle();
        break;
      case 1:
      case 2:
        for (auto left = roll(6); left > 0; --left) REQUIRE(h.store().Upkeep());
        break;
      case 3:
        if (h.store().HasStaged()) break;  // lost elsewhere than here: the other log would gap
        h.Crash();
        break;
      default:
        break;
    }
    if (step % 10 == 9 && !h.store().HasStaged()) {
      for (int i = 0; i < 40; ++i) REQUIRE(h.store().Upkeep());
      CheckExact(h.store(), declared, stable_ms);
    }
  }
}

TEST_CASE_TEMPLATE("an index is what the records say, over crashes at any moment", H, HARNESSES) {
  const char* more = std::getenv("HAWSER_INDEX_HISTORIES");
  const bool on_disk = std::is_same_v<H, LmdbHarness>;
  const std::uint64_t histories = more ? std::strtoull(more, nullptr, 10) : on_disk ? 12 : 300;
  for (std::uint64_t seed = 1; seed <= histories; ++seed) RunHistory<H>(seed);
}

}  // namespace
TEST_CASE("the longest key of a client fits an entry, in the table with the longest name for it") {
  LmdbHarness h;
  Schema rules;
  rules.tables["default"].index.insert(std::string(kMail));
  Schema internal;
  AddInternalRules(internal);
  {
    LocalTxn local(h.store(), internal, 1);
    REQUIRE(Declare(rules, local).contradictions.empty());
    local.type = TxnType::kDeclaration;
    StageTxn(h.store(), 1, local);
    MustCommit(h.store());
  }
  const std::string key(kKeyBytesMax, 'k');
  StageLocal(h.store(), 2,
             [&](LocalTxn& txn) { REQUIRE(txn.Edit("default", key).Set(kMail, "a@b")); });
  MustCommit(h.store());
  for (int i = 0; i < 10; ++i) REQUIRE(h.store().Upkeep());
  REQUIRE(h.lmdb().CheckpointNow());
  h.Close();
  h.Open();
  const auto reader = h.store().NewReader();
  const auto view = reader->Take();
  const auto page = LookUp(*view, {.table = "default",
                                   .field = kMail,
                                   .value = "a@b",
                                   .after = {},
                                   .keys_max = 10,
                                   .now_ms = 3});
  REQUIRE(page);
  CHECK(page->keys == Keys{key});
}

TEST_CASE("an index is built and stays so where nobody writes meanwhile") {
  LmdbHarness h;
  for (int i = 0; i < 700; ++i) SetField(h.store(), "k" + std::to_string(i), kMail, "a@b", i + 1);
  DeclareIndex(h.store(), 1000);
  for (int i = 0; i < 20; ++i) {
    REQUIRE(h.store().Upkeep());
    REQUIRE(h.lmdb().CheckpointNow());
  }
  CHECK(Ask(h.store(), "a@b"));
  h.Close();
  h.Open();
  CHECK(Ask(h.store(), "a@b"));
  CHECK(Found(h.store(), "a@b").size() == 700);
}

}  // namespace hawser::test
