#include "conflict/edit.h"

#include <doctest/doctest.h>

#include "conflict/drop.h"
#include "tests/conflict/values.h"

namespace hawser::test {
namespace {

using Effect = RecordEdit::Effect;

void Put(RecordEdit& edit) {
  REQUIRE(edit.ReplaceWith(kStringField, "v"));
}
Op OpOf(const std::string& bytes, std::size_t i) {
  static Txn txn;
  static std::string kept;
  kept = bytes;
  REQUIRE(DecodeTxn(kept, txn));
  REQUIRE(i < txn.changes[0].ops.size());
  return txn.changes[0].ops[i];
}

}  // namespace

TEST_CASE("an edit shows what a reader will see, step by step") {
  Writes a(1);
  a.Write(10, [](RecordEdit& edit) {
    CHECK_FALSE(edit.Alive());
    CHECK_FALSE(edit.Get("f"));
    CHECK(edit.Set("f", "1") == Effect::kWritten);
    CHECK(edit.Set("e", "2") == Effect::kWritten);
    CHECK(edit.Get("f") == "1");
    CHECK(edit.VisibleFields() == std::vector<std::string>{"e", "f"});
    CHECK(edit.Delete("f"));
    CHECK_FALSE(edit.Delete("f"));
    CHECK(edit.VisibleFields() == std::vector<std::string>{"e"});
    edit.SetExpiry(100);
    CHECK(edit.ExpiryMs() == 100);
    CHECK(edit.ClearExpiry());
    CHECK_FALSE(edit.ClearExpiry());
  });
  CHECK(a.Read(20, "e") == "2");
  CHECK(a.Read(20, "f") == "(nil)");
}

TEST_CASE("what was made and deleted in one txn writes nothing") {
  Writes a(1);
  CHECK(a.Write(10, [](RecordEdit& edit) {
           Put(edit);
           edit.SetExpiry(100);
           CHECK(edit.DeleteAll());
           CHECK_FALSE(edit.DeleteAll());
         }).empty());
}

TEST_CASE("SET over a hash leaves the one field") {
  Writes a(1);
  a.Write(10, [](RecordEdit& edit) {
    REQUIRE(edit.Set("a", "1"));
    REQUIRE(edit.Set("b", "2"));
  });
  a.Write(20, Put);
  CHECK(a.Read(30) == "v");
  CHECK(a.Read(30, "a") == "(nil)");
  CHECK(a.Held().fields.size() == 3);
}

TEST_CASE("DEL and HSET in one txn are one change: nulls for what was held, and the put") {
  Writes a(1);
  a.Write(10, [](RecordEdit& edit) {
    REQUIRE(edit.Set("a", "1"));
    REQUIRE(edit.Set("b", "2"));
    edit.SetExpiry(500);
  });
  const auto bytes = a.Write(20, [](RecordEdit& edit) {
    edit.DeleteAll();
    REQUIRE(edit.Set("b", "new"));
    CHECK(edit.ExpiryMs() == std::nullopt);
  });
  CHECK(OpOf(bytes, 0).expiry);
  CHECK(OpOf(bytes, 0).null);
  CHECK(OpOf(bytes, 1).null);
  CHECK(OpOf(bytes, 2).value == "new");
  CHECK(a.Read(900, "b") == "new");
}

TEST_CASE("the last field takes the expiry along") {
  Writes a(1);
  a.Write(10, [](RecordEdit& edit) {
    REQUIRE(edit.Set("a", "1"));
    edit.SetExpiry(500);
  });
  a.Write(20, [](RecordEdit& edit) {
    CHECK(edit.Delete("a"));
    REQUIRE(edit.Set("b", "2"));
    CHECK_FALSE(edit.ExpiryMs());
  });
  CHECK(a.Read(900, "b") == "2");
}

TEST_CASE("an expiry in the past deletes") {
  Writes a(1);
  a.Write(10, Put);
  a.Write(20, [](RecordEdit& edit) {
    edit.SetExpiry(20);
    CHECK_FALSE(edit.Alive());
  });
  CHECK(a.Read(20) == "(nil)");
  CHECK(IsDead(a.Held(), 0));
}

TEST_CASE("SET clears the expiry, KEEPTTL and HSET keep it") {
  Writes a(1);
  const auto put_until_500 = [](RecordEdit& edit) {
    Put(edit);
    edit.SetExpiry(500);
  };
  a.Write(10, put_until_500);
  SUBCASE("SET") {
    a.Write(20, Put);
    CHECK(a.Read(600) == "v");
  }
  SUBCASE("SET KEEPTTL") {
    a.Write(20, [](RecordEdit& edit) { REQUIRE(edit.ReplaceWith(kStringField, "w", true)); });
    CHECK(a.Read(499) == "w");
    CHECK(a.Read(500) == "(nil)");
  }
  SUBCASE("HSET") {
    a.Write(20, [](RecordEdit& edit) { REQUIRE(edit.Set("f", "w")); });
    CHECK(a.Read(500, "f") == "(nil)");
  }
  SUBCASE("PERSIST") {
    a.Write(20, [](RecordEdit& edit) { CHECK(edit.ClearExpiry()); });
    CHECK(a.Read(600) == "v");
  }
}

TEST_CASE("a write to an expired record nulls all it held, and starts without expiry") {
  Writes a(1);
  a.Write(10, [](RecordEdit& edit) {
    REQUIRE(edit.Set("a", "1"));
    REQUIRE(edit.Set("b", "2"));
    edit.SetExpiry(100);
  });
  a.Write(100, [](RecordEdit& edit) {
    CHECK_FALSE(edit.Alive());
    CHECK_FALSE(edit.Get("a"));
    CHECK_FALSE(edit.ExpiryMs());
    REQUIRE(edit.Set("a", "new"));
  });
  CHECK(a.Read(200, "a") == "new");
  CHECK(a.Read(200, "b") == "(nil)");
}

TEST_CASE("states go forward only, and only along their line") {
  Writes a(1, SchemaOf("st", StatesRule({"OPEN", "PAID", "SHIPPED"})));
  a.Write(10, [](RecordEdit& edit) { REQUIRE(edit.Set("st", "PAID")); });
  a.Write(20, [](RecordEdit& edit) {
    CHECK(edit.Set("st", "OPEN").error() == EditError::kBackwards);
    CHECK(edit.Set("st", "LOST").error() == EditError::kNotAState);
    CHECK(edit.Set("st", "PAID") == Effect::kNoOp);
    CHECK(edit.Set("st", "SHIPPED") == Effect::kWritten);
    CHECK(edit.Set("st", "PAID").error() == EditError::kBackwards);
    CHECK(edit.ReplaceWith("st", "OPEN").error() == EditError::kBackwards);
  });
  SUBCASE("deleted first, any state is a beginning") {
    a.Write(30, [](RecordEdit& edit) {
      edit.DeleteAll();
      CHECK(edit.Set("st", "OPEN") == Effect::kWritten);
    });
    CHECK(a.Read(40, "st") == "OPEN");
  }
  SUBCASE("an override goes back, and from there on as ever") {
    a.Write(30, [](RecordEdit& edit) {
      edit.Override("st", "OPEN");
      CHECK(edit.Set("st", "PAID") == Effect::kWritten);
    });
    CHECK(a.Read(40, "st") == "PAID");
    CHECK(a.Held().fields[0].cell.generation == 1);
  }
  SUBCASE("an override may also be that there is nothing, and is above all it had not seen") {
    a.Write(30, [](RecordEdit& edit) { edit.OverrideNull("st"); });
    CHECK(a.Read(40, "st") == "(nil)");
    CHECK(a.Held().fields[0].cell.generation == 1);
    a.Write(50, [](RecordEdit& edit) { edit.OverrideNull("never there"); });
    CHECK(a.Held().fields[0].cell.generation == 1);
  }
  SUBCASE("an override of a cell that was dropped is above what others may still go on from") {
    a.Write(30, [](RecordEdit& edit) {
      edit.Override("dropped here", "OPEN", 1);
      edit.Override("st", "OPEN", 7);
      edit.OverrideNull("gone", 3);
    });
    CHECK(a.Held().Find("dropped here")->cell.generation == 2);
    CHECK(a.Held().Find("st")->cell.generation == 8);
    CHECK(a.Held().Find("gone")->cell.generation == 4);
  }
  SUBCASE("a state added in between later ranks in between") {
    const FieldRule wider{
        .kind = Kind::kStates, .states = {"OPEN", "HELD", "PAID"}, .ranks = {65536, 98304, 131072}};
    CHECK(wider.RankOf("HELD") == 98304);
    CHECK(StatesRule({"OPEN", "PAID"}).RankOf("PAID") == 131072);
  }
}

TEST_CASE("first is written once, max only rises, min only falls") {
  Schema schema = SchemaOf("first", {.kind = Kind::kFirst});
  schema.tables["t"].fields["max"] = {.kind = Kind::kMax};
  schema.tables["t"].fields["min"] = {.kind = Kind::kMin};
  Writes a(1, schema);
  const auto step = [](RecordEdit& edit) {
    CHECK(edit.Set("first", "x").has_value());
    CHECK(edit.Set("max", "9").has_value());
    CHECK(edit.Set("min", "9").has_value());
  };
  a.Write(10, step);
  CHECK(a.Write(20, step).empty());  // all of it said before
  a.Write(30, [](RecordEdit& edit) {
    CHECK(edit.Set("first", "y").error() == EditError::kImmutable);
    CHECK(edit.Set("max", "8") == Effect::kNoOp);
    CHECK(edit.Set("max", "10") == Effect::kWritten);
    CHECK(edit.Set("min", "10") == Effect::kNoOp);
    CHECK(edit.Set("min", "8.5") == Effect::kWritten);
    CHECK(edit.Add("max", 5) == 15);
  });
  CHECK(a.Read(40, "max") == "15");
  CHECK(a.Read(40, "min") == "8.5");
}

TEST_CASE("a kind that is not declared here is kept while its value shows") {
  const Schema declared = SchemaOf("f", {.kind = Kind::kMax});
  Writes there(1, declared), here(2);
  here.Receive(there, there.Write(10, [](RecordEdit& edit) { REQUIRE(edit.Set("f", "9")); }));
  here.Write(20, [](RecordEdit& edit) {
    CHECK(edit.Set("f", "8") == Effect::kNoOp);
    CHECK(edit.Set("f", "10") == Effect::kWritten);
  });
  CHECK(here.Read(30, "f") == "10");
  here.Write(30, [](RecordEdit& edit) { edit.DeleteAll(); });
  here.Write(40, [](RecordEdit& edit) { REQUIRE(edit.Set("f", "1")); });
  CHECK(here.Read(50, "f") == "1");
}

TEST_CASE("a states field whose line is not known here can be deleted and then written") {
  Writes there(1, SchemaOf("f", StatesRule({"OPEN", "PAID"}))), here(2);
  here.Receive(there, there.Write(10, [](RecordEdit& edit) { REQUIRE(edit.Set("f", "OPEN")); }));
  here.Write(20, [](RecordEdit& edit) {
    CHECK(edit.Set("f", "other").error() == EditError::kNotAState);
    CHECK(edit.Set("f", "OPEN") == Effect::kNoOp);
    CHECK(edit.Delete("f"));
  });
  here.Write(30, [](RecordEdit& edit) { CHECK(edit.Set("f", "other") == Effect::kWritten); });
  CHECK(here.Read(40, "f") == "other");
}

TEST_CASE("marks: created where no cell of the record is held, absent where none of the field is") {
  Writes a(1);
  const auto first = a.Write(10, Put);
  CHECK(OpOf(first, 1).absent);
  const auto second = a.Write(20, [](RecordEdit& edit) {
    Put(edit);
    REQUIRE(edit.Set("f", "1"));
  });
  CHECK_FALSE(OpOf(second, 1).absent);
  CHECK(OpOf(second, 2).absent);
  Txn txn;
  REQUIRE(DecodeTxn(first, txn));
  CHECK(txn.changes[0].created);
  a.Write(30, [](RecordEdit& edit) { edit.DeleteAll(); });
  const auto third = a.Write(40, Put);  // nulls are held: neither mark
  REQUIRE(DecodeTxn(third, txn));
  CHECK_FALSE(txn.changes[0].created);
  CHECK_FALSE(OpOf(third, 1).absent);
}

TEST_CASE("table names keep to their alphabet, and ours are out of reach") {
  for (const char* good : {"t", "orders", "_x", "9", "a.b-c_D"}) CHECK(IsTableName(good));
  for (const char* bad : {"", "!x", "-a", ".a", "a b", "a:b", "\xc3\xa9"})
    CHECK_FALSE(IsTableName(bad));
  CHECK(IsTableName(std::string(64, 'x')));
  CHECK_FALSE(IsTableName(std::string(65, 'x')));
}

}  // namespace hawser::test
