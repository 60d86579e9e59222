#include "conflict/merge.h"

#include <doctest/doctest.h>

#include "tests/conflict/values.h"

namespace hawser::test {
namespace {

using Reports = std::vector<std::string>;

auto Set(std::string field, std::string value) {
  return [=](RecordEdit& edit) { REQUIRE(edit.Set(field, value)); };
}
auto Replace(std::string value, std::int64_t expiry_ms = 0) {
  return [=](RecordEdit& edit) {
    REQUIRE(edit.ReplaceWith(kStringField, value));
    if (expiry_ms) edit.SetExpiry(expiry_ms);
  };
}
void Del(RecordEdit& edit) {
  edit.DeleteAll();
}

}  // namespace

TEST_CASE(
    "of two writes that had not seen each other the later stays, and both regions report the "
    "other") {
  Writes a(1), b(2);
  Exchange(a, a.Write(10, Set("f", "early")), b, b.Write(20, Set("f", "late")));
  CHECK(a.Read(30, "f") == "late");
  CHECK(b.Read(30, "f") == "late");
  CHECK(a.reports() == Reports{"early<late"});
  CHECK(b.reports() == Reports{"early<late"});
}

TEST_CASE("a write that had seen the other is no conflict, whatever the clocks say") {
  Writes a(1), b(2);
  b.Receive(a, a.Write(10, Set("f", "first")));
  a.Receive(b, b.Write(11, Set("f", "second")));
  CHECK(a.Read(30, "f") == "second");
  CHECK(a.reports().empty());
  CHECK(b.reports().empty());
}

TEST_CASE("the same value twice is no conflict") {
  Writes a(1), b(2);
  Exchange(a, a.Write(10, Set("f", "same")), b, b.Write(20, Set("f", "same")));
  CHECK(a.reports().empty());
}

TEST_CASE("a delete that wins reports the value it had not seen; one that loses is not missed") {
  Writes a(1), b(2);
  b.Receive(a, a.Write(10, Set("f", "old")));
  SUBCASE("the later delete") {
    Exchange(a, a.Write(20, Set("f", "new")), b, b.Write(30, Del));
    CHECK(a.Read(40, "f") == "(nil)");
    CHECK(a.reports() == Reports{"new<null"});
    CHECK(b.reports() == Reports{"new<null"});
  }
  SUBCASE("the earlier delete") {
    Exchange(a, a.Write(30, Set("f", "new")), b, b.Write(20, Del));
    CHECK(b.Read(40, "f") == "new");
    CHECK(b.reports().empty());
  }
}

TEST_CASE("a state that moves on is no conflict; a delete it had not seen reports it") {
  const Schema schema = SchemaOf("st", StatesRule({"OPEN", "PAID", "SHIPPED"}));
  Writes a(1, schema), b(2, schema);
  b.Receive(a, a.Write(10, Set("st", "OPEN")));
  SUBCASE("moving on") {
    Exchange(a, a.Write(20, Set("st", "SHIPPED")), b, b.Write(30, Set("st", "PAID")));
    CHECK(a.Read(40, "st") == "SHIPPED");
    CHECK(b.Read(40, "st") == "SHIPPED");
    CHECK(a.reports().empty());
  }
  SUBCASE("deleted") {
    Exchange(a, a.Write(30, Set("st", "SHIPPED")), b, b.Write(20, Del));
    CHECK(a.Read(40, "st") == "(nil)");
    CHECK(a.reports() == Reports{"SHIPPED<null"});
    b.Receive(a, a.Write(50, Set("st", "OPEN")));  // and may be born again
    CHECK(b.Read(60, "st") == "OPEN");
  }
}

TEST_CASE("of two claims the first made stays and the other is told") {
  const Schema schema = SchemaOf("o", {.kind = Kind::kFirst});
  Writes a(1, schema), b(2, schema);
  Exchange(a, a.Write(20, Set("o", "ann")), b, b.Write(10, Set("o", "bob")));
  CHECK(a.Read(30, "o") == "bob");
  CHECK(b.Read(30, "o") == "bob");
  CHECK(a.reports() == Reports{"ann<bob"});
}

TEST_CASE("the created mark drops what its writer had seen die, and nothing it had not seen") {
  const Schema schema = SchemaOf("o", {.kind = Kind::kFirst});
  Writes a(1, schema), b(2, schema), c(3, schema);
  const auto first = a.Write(10, Set("o", "ann"));
  const auto gone = a.Write(20, Del);
  b.Receive(a, first);
  b.Receive(a, gone);
  a.Drop();
  const auto again = a.Write(30, Set("o", "eve"));
  CHECK(b.Held().fields[0].cell.generation == 1);
  b.Receive(a, again);
  CHECK(b.Read(40, "o") == "eve");
  CHECK(b.row() == a.row());
}

TEST_CASE("an expiry that ends a value sooner than its writer said is reported") {
  Writes a(1), b(2);
  b.Receive(a, a.Write(10, Replace("old")));
  const auto expire = [](RecordEdit& edit) { edit.SetExpiry(500); };
  Exchange(a, a.Write(20, Replace("kept for ever")), b, b.Write(30, expire));
  CHECK(a.Read(40) == "kept for ever");
  CHECK(a.Read(500) == "(nil)");
  CHECK(a.reports() == Reports{"expiry:null<500"});
  CHECK(b.reports() == Reports{"expiry:null<500"});
}

TEST_CASE("where the value itself is reported its expiry is not reported again") {
  Writes a(1), b(2);
  Exchange(a, a.Write(20, Replace("early")), b, b.Write(30, Replace("late", 500)));
  CHECK(a.reports() == Reports{"early<late"});
  CHECK(b.reports() == Reports{"early<late"});
}

TEST_CASE("a set clears an earlier expiry that it had not seen, whether or not one was ever held") {
  for (const bool had_one : {false, true}) {
    Writes a(1), b(2);
    b.Receive(a, a.Write(10, [&](RecordEdit& edit) {
      REQUIRE(edit.Set(kStringField, "old"));
      if (had_one) edit.SetExpiry(900);
    }));
    if (had_one) b.Receive(a, a.Write(15, [](RecordEdit& edit) { edit.ClearExpiry(); }));
    Exchange(a, a.Write(30, Replace("new")), b,
             b.Write(20, [](RecordEdit& e) { e.SetExpiry(500); }));
    CHECK(a.Read(600) == "new");
    CHECK(b.Read(600) == "new");
  }
}

TEST_CASE("a change of many fields merges in order, old and new, and only once") {
  Writes a(1), b(2);
  b.Receive(a, a.Write(10, [](RecordEdit& edit) {
    for (int i = 0; i < 500; i += 2) REQUIRE(edit.Set("f" + std::to_string(i), "even"));
  }));
  b.Receive(a, a.Write(20, [](RecordEdit& edit) {
    for (int i = 0; i < 500; i += 3) REQUIRE(edit.Set("f" + std::to_string(i), "third"));
  }));
  CHECK(b.Held().fields.size() == 250 + 83);
  CHECK(b.row() == a.row());
  CHECK(b.Read(30, "f3") == "third");
  CHECK(b.Read(30, "f4") == "even");
  CHECK(b.Read(30, "f6") == "third");
}

}  // namespace hawser::test
