#include <doctest/doctest.h>

#include "daemon/reload.h"
#include "tests/daemon/config_fixture.h"

namespace hawser::config {

TEST_CASE("a bad reload changes nothing") {
  ConfigDir dir;
  const LoadOptions options{.file = dir.Write("c.toml", kMinimal)};
  auto current = Load(options);
  REQUIRE(current);
  dir.Write("c.toml", kMinimal + "[log]\nlevel = \"debug\"\nformat = \"xml\"\n");

  const Reloaded reloaded = ReloadConfig(options, *current);

  CHECK_FALSE(reloaded.accepted);
  CHECK(current->config.log.level == LogLevel::kInfo);
}

TEST_CASE("a good reload takes live keys at once and leaves the others to a restart") {
  ConfigDir dir;
  const LoadOptions options{.file = dir.Write("c.toml", kMinimal)};
  auto current = Load(options);
  REQUIRE(current);
  dir.Write("c.toml", kMinimal + "[log]\nlevel = \"debug\"\n[storage]\npath = \"/elsewhere\"\n");

  const Reloaded reloaded = ReloadConfig(options, *current);

  CHECK(reloaded.accepted);
  CHECK(reloaded.needs_restart);
  CHECK(current->config.log.level == LogLevel::kDebug);
  CHECK(current->config.storage.path == "/var/lib/hawser");
  // Asked again, the waiting key still waits; the live one is done.
  CHECK(ReloadConfig(options, *current).needs_restart);
  dir.Write("c.toml", kMinimal + "[log]\nlevel = \"debug\"\n");
  CHECK_FALSE(ReloadConfig(options, *current).needs_restart);
}

TEST_CASE("live keys are exactly those that a reload applies") {
  for (const Key& key : Keys()) {
    CAPTURE(key.section);
    CAPTURE(key.name);
    CHECK((key.reload == Reload::kLive) == (key.section == "log"));
  }
}

}  // namespace hawser::config
