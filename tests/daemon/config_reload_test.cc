#include <doctest/doctest.h>

#include "daemon/reload.h"
#include "tests/daemon/config_fixture.h"

namespace hawser::config {
namespace {

bool Anything(const Config&) {
  return true;
}

const std::string kOrders =
    "[[tables]]\nname = \"orders\"\n[tables.fields.status]\nresolve = \"states\"\n";

}  // namespace

TEST_CASE("a bad reload changes nothing") {
  ConfigDir dir;
  const LoadOptions options{.file = dir.Write("c.toml", kMinimal)};
  auto current = Load(options);
  REQUIRE(current);
  dir.Write("c.toml", kMinimal + "[log]\nlevel = \"debug\"\nformat = \"xml\"\n");

  const Reloaded reloaded = ReloadConfig(options, *current, Anything);

  CHECK_FALSE(reloaded.accepted);
  CHECK(current->config.log.level == LogLevel::kInfo);
}

TEST_CASE("a good reload takes live keys at once and leaves the others to a restart") {
  ConfigDir dir;
  const LoadOptions options{.file = dir.Write("c.toml", kMinimal)};
  auto current = Load(options);
  REQUIRE(current);
  dir.Write("c.toml", kMinimal + "[log]\nlevel = \"debug\"\n[storage]\npath = \"/elsewhere\"\n");

  const Reloaded reloaded = ReloadConfig(options, *current, Anything);

  CHECK(reloaded.accepted);
  CHECK(reloaded.needs_restart);
  CHECK(current->config.log.level == LogLevel::kDebug);
  CHECK(current->config.storage.path == "/var/lib/hawser");
  // Asked again, the waiting key still waits; the live one is done.
  CHECK(ReloadConfig(options, *current, Anything).needs_restart);
  dir.Write("c.toml", kMinimal + "[log]\nlevel = \"debug\"\n");
  CHECK_FALSE(ReloadConfig(options, *current, Anything).needs_restart);
}

TEST_CASE("changed tables are declared before anything of a reload is taken") {
  ConfigDir dir;
  const LoadOptions options{.file = dir.Write("c.toml", kMinimal)};
  auto current = Load(options);
  REQUIRE(current);
  dir.Write("c.toml", kMinimal + "[log]\nlevel = \"debug\"\n" + kOrders +
                          "order = [\"OPEN\", \"PAID\"]\n[[unique]]\nname = \"login\"\n");

  int asked = 0;
  const auto refuse = [&](const Config& next) {
    ++asked;
    CHECK(next.schema.Rule("orders", "status") == StatesRule({"OPEN", "PAID"}));
    CHECK(next.schema.unique.contains("login"));
    return false;
  };
  CHECK_FALSE(ReloadConfig(options, *current, refuse).accepted);
  CHECK(asked == 1);
  CHECK(current->config.log.level == LogLevel::kInfo);
  CHECK(current->config.tables.empty());

  CHECK(ReloadConfig(options, *current, Anything).accepted);
  CHECK(current->config.log.level == LogLevel::kDebug);
  CHECK(current->config.schema.Rule("orders", "status").states.size() == 2);
  // Taken: the same file again has nothing to declare.
  CHECK(ReloadConfig(options, *current, refuse).accepted);
  CHECK(asked == 1);
}

TEST_CASE("a field's conflict_log waits for a restart, its rule does not") {
  ConfigDir dir;
  const std::string before = kMinimal + kOrders + "order = [\"OPEN\", \"PAID\"]\n";
  const LoadOptions options{.file = dir.Write("c.toml", before)};
  auto current = Load(options);
  REQUIRE(current);
  dir.Write("c.toml", kMinimal + kOrders + "order = [\"OPEN\", \"PAID\", \"CLOSED\"]\n" +
                          "conflict_log = false\n");

  for (int time = 0; time < 2; ++time) {
    const Reloaded reloaded = ReloadConfig(options, *current, Anything);
    CHECK(reloaded.accepted);
    CHECK(reloaded.needs_restart);
  }
  CHECK(current->config.schema.Rule("orders", "status").states.size() == 3);
  dir.Write("c.toml", before);
  CHECK_FALSE(ReloadConfig(options, *current, Anything).needs_restart);
}

TEST_CASE("a state that could not be declared as text is refused") {
  ConfigDir dir;
  for (const char* state : {"A B", "A,B", "A=B", ""}) {
    const LoadOptions options{
        .file =
            dir.Write("c.toml", kMinimal + kOrders + "order = [\"OPEN\", \"" + state + "\"]\n")};
    CHECK_FALSE(Load(options).has_value());
  }
}

TEST_CASE("live keys are exactly those that a reload applies") {
  for (const Key& key : Keys()) {
    CAPTURE(key.section);
    CAPTURE(key.name);
    const bool is_table = key.section.starts_with("tables") && key.name != "conflict_log";
    CHECK((key.reload == Reload::kLive) ==
          (key.section == "log" || key.section == "unique" || is_table));
  }
}

}  // namespace hawser::config
