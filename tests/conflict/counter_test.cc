#include <doctest/doctest.h>

#include "conflict/merge.h"
#include "conflict/record_codec.h"
#include "tests/conflict/values.h"

namespace hawser::test {
namespace {

auto Incr(std::int64_t delta) {
  return [delta](RecordEdit& edit) { REQUIRE(edit.Add(kStringField, delta)); };
}
auto Set(std::string value) {
  return [value](RecordEdit& edit) { REQUIRE(edit.ReplaceWith(kStringField, value)); };
}
void Del(RecordEdit& edit) {
  edit.DeleteAll();
}

}  // namespace

TEST_CASE("increments of two regions add up") {
  Writes a(1), b(2);
  Exchange(a, a.Write(10, Incr(5)), b, b.Write(10, Incr(7)));
  CHECK(a.Read(20) == "12");
  CHECK(b.Read(20) == "12");
  Exchange(a, a.Write(30, Incr(1)), b, b.Write(30, Incr(-2)));
  CHECK(a.Read(40) == "11");
  CHECK(b.Read(40) == "11");
  CHECK(a.reports().empty());
}

TEST_CASE("a set that had not seen an increment does not undo it") {
  Writes a(1), b(2);
  b.Receive(a, a.Write(10, Incr(5)));
  Exchange(a, a.Write(20, Set("100")), b, b.Write(20, Incr(7)));
  CHECK(a.Read(30) == "107");
  CHECK(b.Read(30) == "107");
}

TEST_CASE("a set over increments it has seen folds them in, and counting goes on from there") {
  Writes a(1);
  a.Write(10, Incr(5));
  a.Write(20, Set("100"));
  CHECK(a.Read(30) == "100");
  a.Write(30, Incr(1));
  CHECK(a.Read(40) == "101");
}

TEST_CASE("a base written where an overridden counter was dropped stands where it was not") {
  const auto override = [](RecordEdit& edit) { edit.Override(kStringField, "5"); };
  SUBCASE("beside an increment that it has seen") {
    Writes a(1), b(2);
    b.Receive(a, a.Write(10, override));
    b.Receive(a, a.Write(20, Del));
    b.Drop();
    b.Receive(a, a.Write(30, Incr(1)));
    a.Receive(b, b.Write(40, Set("100")));
    CHECK(b.Read(50) == "100");
    CHECK(a.Read(50) == "100");
  }
  SUBCASE("beside an increment that it has not seen") {
    Writes a(1), b(2);
    b.Receive(a, a.Write(10, override));
    b.Receive(a, a.Write(20, Del));
    b.Drop();
    Exchange(a, a.Write(30, Incr(3)), b, b.Write(40, Set("100")));
    CHECK(a.Read(50) == "103");
    CHECK(b.Read(50) == "103");
  }
}

TEST_CASE("a deleted counter starts anew, and an unseen increment survives the delete") {
  Writes a(1), b(2);
  b.Receive(a, a.Write(10, Incr(5)));
  Exchange(a, a.Write(20, Del), b, b.Write(20, Incr(7)));
  CHECK(a.Read(30) == "7");
  CHECK(b.Read(30) == "7");
  b.Receive(a, a.Write(40, Del));
  CHECK(b.Read(50) == "(nil)");
  b.Write(50, Incr(2));
  CHECK(b.Read(60) == "2");
}

TEST_CASE("delete and increment in one txn count from nothing, everywhere") {
  Writes a(1), b(2);
  b.Receive(a, a.Write(10, Set("50")));
  b.Receive(a, a.Write(20, Incr(5)));
  const auto txn = a.Write(30, [](RecordEdit& edit) {
    edit.DeleteAll();
    CHECK(edit.Add(kStringField, 3) == 3);
    CHECK(edit.Add(kStringField, 4) == 7);
  });
  b.Receive(a, txn);
  CHECK(a.Read(40) == "7");
  CHECK(b.Read(40) == "7");
}

TEST_CASE("an increment over an expired counter counts from nothing") {
  Writes a(1);
  a.Write(10, [](RecordEdit& edit) {
    REQUIRE(edit.ReplaceWith(kStringField, "50"));
    edit.SetExpiry(100);
  });
  a.Write(20, Incr(5));
  a.Write(200, Incr(3));
  CHECK(a.Read(300) == "3");
}

TEST_CASE("floats and whole numbers meet, and the reply is what readers see") {
  Writes a(1), b(2);
  double said = 0;
  a.Write(10, [](RecordEdit& edit) { REQUIRE(edit.ReplaceWith(kStringField, "10.5")); });
  const auto add = [&](double delta) {
    return [&said, delta](RecordEdit& edit) { said = edit.AddFloat(kStringField, delta).value(); };
  };
  a.Write(20, add(0.1));
  CHECK(a.Read(30) == "10.6");
  CHECK(FormatFloat(said) == "10.6");
  a.Write(30, add(0.7));
  CHECK(a.Read(40) == FormatFloat(said));
  CHECK(b.Read(40) == "(nil)");
}

TEST_CASE("what is no number is refused, what would pass 64 bits too") {
  Writes a(1);
  a.Write(10, Set("abc"));
  a.Write(20, [](RecordEdit& edit) {
    CHECK(edit.Add(kStringField, 1).error() == EditError::kNotANumber);
    CHECK(edit.AddFloat(kStringField, 1).error() == EditError::kNotANumber);
  });
  a.Write(30, Set("9223372036854775807"));
  a.Write(40, [](RecordEdit& edit) {
    CHECK(edit.Add(kStringField, 1).error() == EditError::kOverflow);
    CHECK(edit.Add(kStringField, -1) == 9223372036854775806);
  });
  a.Write(50, [](RecordEdit& edit) {
    CHECK(edit.AddFloat(kStringField, 1e308).has_value());
    CHECK(edit.AddFloat(kStringField, 1e308).error() == EditError::kOverflow);
  });
}

TEST_CASE("regions that together pass 64 bits all show the largest number there is") {
  Writes a(1), b(2);
  Exchange(a, a.Write(10, Incr(INT64_MAX)), b, b.Write(10, Incr(INT64_MAX)));
  CHECK(a.Read(20) == "9223372036854775807");
  CHECK(b.Read(20) == "9223372036854775807");
  b.Receive(a, a.Write(30, Incr(-5)));
  CHECK(b.Read(40) == "9223372036854775807");
}

TEST_CASE("increments beside a text that had not seen them are reported where they meet") {
  Writes a(1), b(2);
  b.Receive(a, a.Write(10, Set("1")));
  Exchange(a, a.Write(30, Set("text")), b, b.Write(20, Incr(7)));
  CHECK(a.Read(40) == "text");
  CHECK(b.Read(40) == "text");
  CHECK(a.reports() == std::vector<std::string>{"adds:7<text"});
  CHECK(b.reports() == std::vector<std::string>{"adds:7<text"});
}

TEST_CASE("shares that a base has folded in do not come back in a float's rounding") {
  Writes a(1), b(2);
  a.Receive(b, b.Write(10, [](RecordEdit& e) { REQUIRE(e.AddFloat(kStringField, 1e16)); }));
  a.Receive(b, b.Write(20, Del));
  b.Drop();  // dead and stable: forgotten here, still held there
  b.Receive(a, a.Write(30, [](RecordEdit& e) { REQUIRE(e.AddFloat(kStringField, 0.1)); }));
  CHECK(a.Read(40) == "0.1");
  CHECK(b.Read(40) == "0.1");
}

TEST_CASE("the version to compare and set against moves with every increment") {
  Writes a(1);
  a.Write(10, Set("1"));
  const Version before = RecordVersion(a.Held());
  a.Write(20, Incr(1));
  CHECK(RecordVersion(a.Held()) > before);
}

TEST_CASE("an add that says it goes on from a later txn leaves a record that can be read again") {
  const Cut none;
  const Writer writer{{{RegionId{2}, Incarnation{7}}, Seq{3}}, {Stamp{1000}, RegionId{2}}, none};
  Change change{.table = "t", .key = "k", .created = true, .ops = {}};
  change.ops.push_back(
      {.type = Op::Type::kAdd, .field = "n", .start = Seq{9}, .sum = 5, .delta = 5});
  Record record, read;
  std::vector<Discarded> discarded;
  ApplyChange(writer, change, record, discarded);

  std::string bytes;
  EncodeRecord(record, bytes);
  REQUIRE(DecodeRecord(bytes, read));
  REQUIRE(read.Find("n") != nullptr);
  CHECK(read.Find("n")->shares.at(0).sum == 5);
}

}  // namespace hawser::test
