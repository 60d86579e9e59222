#include <doctest/doctest.h>

#include "daemon/config/print.h"
#include "tests/daemon/config_fixture.h"

namespace hawser::config {
namespace {

const std::string kFull =
    kMinimal +
    "credentials = \"/etc/hawser/a b\\\"c.creds\"\n"
    "[[regions]]\nname = \"eu-west\"\nid = 2\nnats = [\"nats://a:1\", \"nats://b:2\"]\n"
    "[storage]\npath = \"/srv/h\"\njournal_max = \"1GiB\"\n"
    "[admin]\nlisten = \"[::1]:7171\"\n"
    "[log]\nlevel = \"debug\"\n"
    "[[tables]]\nname = \"orders\"\nindex = [\"email\"]\n"
    "[tables.fields.status]\nresolve = \"states\"\norder = [\"OPEN\", \"PAID\"]\n"
    "[tables.fields.\"\"]\nresolve = \"counter\"\nmin = 0\n"
    "[tables.fields.\"odd \\\"name\"]\nresolve = \"max\"\n"
    "[[tables]]\nname = \"users\"\n"
    "[[unique]]\nname = \"login\"\n"
    "[[tokens]]\nname = \"ops\"\nrole = \"operator\"\nfile = \"/etc/hawser/ops.token\"\n";

const Setting& Find(const Loaded& loaded, std::string_view section, std::string_view key) {
  return *loaded.settings.All(section).front()->Find(key);
}

}  // namespace

TEST_CASE("the example of the contract loads, word for word what it says") {
  ConfigDir dir;
  const auto loaded = dir.LoadText(kFull);
  if (!loaded) FAIL(Joined(loaded.error()));
  const Config& c = loaded->config;
  CHECK(c.cluster == "shop");
  CHECK(c.region == "us-east");
  CHECK(c.self == RegionId{1});
  REQUIRE(c.regions.size() == 2);
  CHECK(c.regions[1].id == RegionId{2});
  CHECK(c.regions[1].nats == std::vector<std::string>{"nats://a:1", "nats://b:2"});
  CHECK(c.storage.path == "/srv/h");
  CHECK(c.storage.journal_max == 1ull << 30);
  CHECK(c.storage.memtable_max == 256ull << 20);
  CHECK(c.admin.listen.host == "::1");
  CHECK(c.admin.listen.port == 7171);
  CHECK(c.redis.listen.port == 7379);
  CHECK_FALSE(c.redis.allow_flush);
  CHECK(c.log.level == LogLevel::kDebug);
  REQUIRE(c.tokens.size() == 1);
  CHECK(c.tokens[0].role == TokenRole::kOperator);
  CHECK(c.unique[0].name == "login");
  CHECK(c.tables[0].placement == "global");
}

TEST_CASE("declared fields become the schema that local writes obey") {
  ConfigDir dir;
  const auto loaded = dir.LoadText(kFull);
  REQUIRE(loaded);
  const Schema& schema = loaded->config.schema;
  CHECK(schema.Rule("orders", "status") == StatesRule({"OPEN", "PAID"}));
  CHECK(schema.Rule("orders", "status").kind == Kind::kStates);
  CHECK(schema.Rule("orders", "").counter);
  CHECK(schema.Rule("orders", "").min == 0);
  CHECK(schema.Rule("orders", "odd \"name").kind == Kind::kMax);
  CHECK(schema.Rule("orders", "else").kind == Kind::kLww);
  CHECK(schema.tables.contains("users"));
}

TEST_CASE("what --print-config prints reads back as the same configuration") {
  ConfigDir dir;
  const auto first = dir.LoadText(kFull);
  REQUIRE(first);
  const std::string printed = PrintConfig(first->settings);

  const auto second = dir.LoadText(printed);

  if (!second) FAIL(Joined(second.error()));
  CHECK(ChangedKeys(first->settings, second->settings).empty());
  CHECK(second->config.tables.size() == 2);
  CHECK(second->config.tables[0].fields.size() == 3);
}

TEST_CASE("--print-config says where each value comes from") {
  ConfigDir dir;
  const std::string file = dir.Write("c.toml", kFull);
  const auto loaded = Load({.file = file, .environment = {{"HAWSER_WAN__BEAT_INTERVAL", "50ms"}}});
  REQUIRE(loaded);
  const std::string printed = PrintConfig(loaded->settings);
  const auto line = [&](std::string_view key) {
    const std::size_t at = printed.find("\n" + std::string(key) + " = ");
    REQUIRE(at != std::string::npos);
    return printed.substr(at + 1, printed.find('\n', at + 1) - at - 1);
  };
  CHECK(line("journal_max").ends_with("# " + file + ":16"));
  CHECK(line("memtable_max").ends_with("# default"));
  CHECK(line("beat_interval").ends_with("# HAWSER_WAN__BEAT_INTERVAL"));
}

TEST_CASE("without --config, hawser.toml comes first, then conf.d by name; later values win") {
  ConfigDir dir;
  dir.Write("hawser.toml", kMinimal + "[log]\nlevel = \"error\"\nformat = \"text\"\n");
  dir.Write("conf.d/20-b.toml", "[log]\nlevel = \"debug\"\n[[tables]]\nname = \"b\"\n");
  dir.Write("conf.d/10-a.toml", "[log]\nlevel = \"warning\"\n[[tables]]\nname = \"a\"\n");
  dir.Write("conf.d/30-c.toml.off", "[nonsense]\n");
  const auto loaded = Load({.directory = dir.path("")});
  if (!loaded) FAIL(Joined(loaded.error()));
  CHECK(loaded->config.log.level == LogLevel::kDebug);
  CHECK(loaded->config.log.format == LogFormat::kText);
  REQUIRE(loaded->config.tables.size() == 2);
  CHECK(loaded->config.tables[0].name == "a");
  CHECK(Text(Find(*loaded, "log", "level").source).ends_with("20-b.toml:2"));
}

TEST_CASE("--config FILE reads only that file") {
  ConfigDir dir;
  dir.Write("conf.d/10-a.toml", "[nonsense]\n");
  const auto loaded = Load({.file = dir.Write("hawser.toml", kMinimal), .directory = dir.path("")});
  CHECK(loaded.has_value());
}

TEST_CASE("a variable overrides files, each type in its own way") {
  ConfigDir dir;
  const std::string file = dir.Write("c.toml", kMinimal + "[storage]\npath = \"/a\"\n");
  const auto loaded = Load({.file = file,
                            .environment = {{"HAWSER_STORAGE__PATH", "/b"},
                                            {"HAWSER_STORAGE__JOURNAL_MAX", "2GiB"},
                                            {"HAWSER_REDIS__ALLOW_FLUSH", "true"},
                                            {"HAWSER_REDIS__CLIENTS_MAX", "7"},
                                            {"HAWSER_LOG__LEVEL", "error"},
                                            {"HAWSER_SERVER", "http://x"}}});
  if (!loaded) FAIL(Joined(loaded.error()));
  CHECK(loaded->config.storage.path == "/b");
  CHECK(loaded->config.storage.journal_max == 2ull << 30);
  CHECK(loaded->config.redis.allow_flush);
  CHECK(loaded->config.redis.clients_max == 7);
  CHECK(loaded->config.log.level == LogLevel::kError);
}

TEST_CASE("a wrong variable is named, with the near miss") {
  ConfigDir dir;
  const std::string file = dir.Write("c.toml", kMinimal);
  const auto load = [&](const std::string& name, const std::string& text) {
    const auto loaded = Load({.file = file, .environment = {{name, text}}});
    return loaded ? std::string("good") : Joined(loaded.error());
  };
  CHECK(load("HAWSER_STORAGE__PTH", "/b")
            .find("HAWSER_STORAGE__PTH: storage.pth: unknown key; did you mean \"path\"?") == 0);
  CHECK(load("HAWSER_STORGE__PATH", "/b").find("did you mean [storage]?") != std::string::npos);
  CHECK(load("HAWSER_WAN__BEAT_INTERVAL", "5").find("has no unit") != std::string::npos);
  CHECK(load("HAWSER_REDIS__CLIENTS_MAX", "many").find("whole number") != std::string::npos);
  CHECK(load("HAWSER_REDIS__ALLOW_FLUSH", "yes").find("true or false") != std::string::npos);
  CHECK(load("HAWSER_REGIONS__NAME", "x").find("cannot be set by a variable") != std::string::npos);
}

TEST_CASE("all problems are reported, in the order of the file") {
  ConfigDir dir;
  const auto loaded = dir.LoadText(kMinimal + "[storage]\npth = \"/a\"\njournal_max = 5\n[wann]\n");
  REQUIRE_FALSE(loaded);
  REQUIRE(loaded.error().size() == 3);
  CHECK(loaded.error()[0].source.line == 10);
  CHECK(loaded.error()[1].source.line == 11);
  CHECK(loaded.error()[2].source.line == 12);
}

TEST_CASE("a missing or unreadable file says what to do, and only that") {
  ConfigDir dir;
  const auto missing = Load({.file = dir.path("nowhere.toml")});
  REQUIRE_FALSE(missing);
  REQUIRE(missing.error().size() == 1);
  CHECK(Joined(missing.error()).find("No such file") != std::string::npos);
  const auto none = Load({.directory = dir.path("empty")});
  REQUIRE_FALSE(none);
  CHECK(Joined(none.error()).find("--print-sample") != std::string::npos);
  const auto directory = Load({.file = dir.path("")});
  REQUIRE_FALSE(directory);
  CHECK(Joined(directory.error()).find("is a directory") != std::string::npos);
}

TEST_CASE("secrets written where they do not belong are never repeated") {
  ConfigDir dir;
  const std::string secret = "hunter2-canary";
  const std::string texts[] = {
      Replaced(kMinimal, "nats://127", "nats://bob:" + secret + "@127"),
      kMinimal + "password = \"" + secret + "\"\n",
      kMinimal + "[[tokens]]\nname = \"ops\"\nrole = \"operator\"\ntoken = \"" + secret + "\"\n",
      kMinimal + "[[tokens]]\nname = \"ops\"\nrole = \"operator\"\nfile = [\"" + secret + "\"]\n",
      kMinimal + "[nats]\ntoken = \"" + secret + "\"\n",
      kMinimal + "credentials = { password = \"" + secret + "\" }\n",
      kMinimal + "token = \"" + secret + "\n",  // not even TOML
  };
  for (const std::string& text : texts) {
    const auto loaded = dir.LoadText(text);
    REQUIRE_FALSE(loaded);
    CHECK(Joined(loaded.error()).find(secret) == std::string::npos);
  }
}

TEST_CASE("a table says whether its records have one home") {
  ConfigDir dir;
  const auto loaded = dir.LoadText(kMinimal + "[[tables]]\nname = \"t\"\nplacement = \"homed\"\n");
  REQUIRE(loaded);
  CHECK(loaded->config.schema.tables.at("t").placement == "homed");
}

}  // namespace hawser::config
