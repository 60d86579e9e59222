#include <doctest/doctest.h>

#include <vector>

#include "tests/daemon/config_fixture.h"

namespace hawser::config {
namespace {

// What an operator wrote, and what must stand in the message: line, key, and what to do.
struct Bad {
  std::string text;
  int line;  // 0: the file as a whole
  std::string key;
  std::vector<std::string> words;
};

// kMinimal has 8 lines; what is added begins at line 9.
Bad Added(const std::string& text, int line, std::string key, std::vector<std::string> words) {
  return {kMinimal + text, line, std::move(key), std::move(words)};
}
Bad Storage(const std::string& text, std::string key, std::vector<std::string> words) {
  return Added("[storage]\n" + text + '\n', 10, "storage." + key, std::move(words));
}
Bad Wan(const std::string& text, std::string key, std::vector<std::string> words) {
  return Added("[wan]\n" + text + '\n', 10, "wan." + key, std::move(words));
}
Bad In(const std::string& section, const std::string& text, const std::string& key,
       std::vector<std::string> words) {
  return Added('[' + section + "]\n" + text + '\n', 10, section + '.' + key, std::move(words));
}
Bad Changed(const std::string& from, const std::string& to, int line, std::string key,
            std::vector<std::string> words) {
  return {Replaced(kMinimal, from, to), line, std::move(key), std::move(words)};
}
Bad Field(const std::string& text, int line, std::string key, std::vector<std::string> words) {
  return Added("[[tables]]\nname = \"t\"\n[tables.fields.f]\n" + text + '\n', line,
               "tables.fields." + key, std::move(words));
}
Bad Second(const std::string& name, const std::string& id, const std::string& nats, int line,
           std::string key, std::vector<std::string> words) {
  return Added("[[regions]]\nname = " + name + "\nid = " + id + "\nnats = " + nats + '\n', line,
               "regions." + key, std::move(words));
}
const std::string kUrls = "[\"nats://127.0.0.1:4222\"]";
Bad Nats(const std::string& urls, std::vector<std::string> words) {
  return Changed(kUrls, urls, 8, "regions.nats", std::move(words));
}

std::vector<Bad> Syntax() {
  return {
      {"[cluster\nname = \"shop\"\n", 1, "", {"not valid TOML", "mend this line"}},
      {"name = \n", 1, "", {"not valid TOML"}},
      {kMinimal + "[storage]\npath = \"/a\"\npath = \"/b\"\n", 11, "", {"not valid TOML"}},
      {kMinimal + "[cluster]\n", 9, "", {"not valid TOML"}},
      {kMinimal + "[log]\nlevel = info\n", 10, "", {"not valid TOML"}},
      {kMinimal + "[log]\nlevel = \"info\n", 10, "", {"not valid TOML"}},
      {kMinimal + "\x01\n", 9, "", {"not valid TOML"}},
      {kMinimal + "[storage]\njournal_max = 16GiB\n", 10, "", {"not valid TOML"}},
  };
}

std::vector<Bad> Unknown() {
  return {
      Storage("pth = \"/a\"", "pth", {"unknown key", "did you mean \"path\"?"}),
      Storage("jurnal_max = \"1GiB\"", "jurnal_max", {"did you mean \"journal_max\"?"}),
      Storage("journal-max = \"1GiB\"", "journal-max", {"did you mean \"journal_max\"?"}),
      Storage("journalmax = \"1GiB\"", "journalmax", {"did you mean \"journal_max\"?"}),
      Storage("memtabel_max = \"1GiB\"", "memtabel_max", {"did you mean \"memtable_max\"?"}),
      Storage("Path = \"/a\"", "Path", {"did you mean \"path\"?"}),
      Storage("beat_interval = \"1s\"", "beat_interval", {"belongs under [wan]"}),
      Storage("colour = 1", "colour", {"unknown key; [storage] has path, journal_max"}),
      Storage("path.x = 1", "path", {"is a table", "a text in quotes"}),
      Wan("beat_intervall = \"1s\"", "beat_intervall", {"did you mean \"beat_interval\"?"}),
      Wan("max_skew = \"1s\"", "max_skew", {"unknown key"}),
      Wan("catchup_bandwidth = \"0\"", "catchup_bandwidth",
          {"did you mean \"catch_up_bandwidth\"?"}),
      In("admin", "port = 7070", "port", {"unknown key", "listen"}),
      In("redis", "listn = \"127.0.0.1:1\"", "listn", {"did you mean \"listen\"?"}),
      In("redis", "allow_flus = true", "allow_flus", {"did you mean \"allow_flush\"?"}),
      In("log", "levle = \"info\"", "levle", {"did you mean \"level\"?"}),
      In("log", "fromat = \"json\"", "fromat", {"did you mean \"format\"?"}),
      Changed("[cluster]\nname", "[cluster]\nnmae", 2, "cluster.nmae", {"did you mean \"name\"?"}),
      Changed("[cluster]\nname", "[cluster]\nname = \"shop\"\nid", 3, "cluster.id",
              {"belongs under [[regions]]"}),
      Changed("[cluster]", "[clutser]", 1, "clutser",
              {"unknown section", "did you mean [cluster]?"}),
      Changed("[[regions]]", "[[region_list]]", 5, "region_list", {"unknown section"}),
      Changed("id = 1", "idd = 1", 7, "regions.idd", {"did you mean \"id\"?"}),
      Changed("nats = ", "address = ", 8, "regions.address",
              {"unknown key", "name, id, nats, credentials"}),
      Added("[storge]\npath = \"/a\"\n", 9, "storge", {"did you mean [storage]?"}),
      Added("[table]\n", 9, "table", {"did you mean [[tables]]?"}),
      Added("[[token]]\n", 9, "token", {"did you mean [[tokens]]?"}),
      Added("[kafka]\n", 9, "kafka", {"unknown section; there are cluster, region"}),
      Added("[[tables]]\nnam = \"t\"\n", 10, "tables.nam", {"did you mean \"name\"?"}),
      Added("[[tables]]\nname = \"t\"\nplacment = \"global\"\n", 11, "tables.placment",
            {"did you mean \"placement\"?"}),
      Added("[[tables]]\nname = \"t\"\n[tables.field.f]\n", 11, "tables.field", {"unknown key"}),
      Field("resolv = \"max\"", 12, "resolv", {"did you mean \"resolve\"?"}),
      Added("[[unique]]\nvalue = \"login\"\n", 10, "unique.value",
            {"unknown key; [[unique]] has name"}),
      Added("[[tokens]]\nname = \"a\"\nrole = \"app\"\nsecret = \"x\"\n", 12, "tokens.secret",
            {"unknown key"}),
      {"journal_max = \"1GiB\"\n" + kMinimal, 1, "journal_max", {"belongs under [storage]"}},
  };
}

std::vector<Bad> Types() {
  return {
      Storage("journal_max = 17179869184", "journal_max",
              {"is an integer", "a size in quotes with its unit"}),
      Storage("journal_max = \"16\"", "journal_max", {"\"16\" has no unit", "KiB, MiB, GiB"}),
      Storage("journal_max = \"16GB\"", "journal_max",
              {"unknown unit \"GB\"", "did you mean \"16GiB\"?"}),
      Storage("journal_max = \"16G\"", "journal_max", {"did you mean \"16GiB\"?"}),
      Storage("journal_max = \"16gib\"", "journal_max", {"did you mean \"16GiB\"?"}),
      Storage("journal_max = \"16 GiB\"", "journal_max", {"did you mean \"16GiB\"?"}),
      Storage("journal_max = \"1.5GiB\"", "journal_max", {"has a fraction"}),
      Storage("journal_max = \"-1GiB\"", "journal_max", {"is no size"}),
      Storage("journal_max = \"lots\"", "journal_max", {"is no size", "64KiB"}),
      Storage("journal_max = \"\"", "journal_max", {"is no size"}),
      Storage("journal_max = \"99999999999TiB\"", "journal_max", {"too large a size"}),
      Storage("journal_max = \"10s\"", "journal_max", {"unknown unit \"s\""}),
      Storage("journal_max = \"0\"", "journal_max", {"0 is out of bounds", "16MiB to 64TiB"}),
      Storage("journal_max = \"1MiB\"", "journal_max", {"out of bounds"}),
      Storage("memtable_max = \"1KiB\"", "memtable_max", {"out of bounds"}),
      Storage("map_max = \"100TiB\"", "map_max", {"out of bounds"}),
      Storage("max_record = \"100B\"", "max_record", {"out of bounds", "1KiB"}),
      Storage("max_txn = true", "max_txn", {"is true or false", "a size in quotes"}),
      Storage("path = 5", "path", {"is an integer", "a text in quotes"}),
      Storage("path = \"var/lib/hawser\"", "path", {"no absolute path", "begin it with /"}),
      Storage("path = \"\"", "path", {"no absolute path"}),
      Storage("path = \"/\"", "path", {"no absolute path"}),
      Wan("beat_interval = 200", "beat_interval", {"is an integer", "a duration in quotes"}),
      Wan("beat_interval = \"200\"", "beat_interval", {"has no unit", "200ms"}),
      Wan("beat_interval = \"200msec\"", "beat_interval", {"did you mean \"200ms\"?"}),
      Wan("beat_interval = \"2sec\"", "beat_interval", {"did you mean \"2s\"?"}),
      Wan("beat_interval = \"0.2s\"", "beat_interval", {"has a fraction"}),
      Wan("beat_interval = \"1ms\"", "beat_interval", {"1ms is out of bounds", "10ms to 10s"}),
      Wan("beat_interval = \"1h\"", "beat_interval", {"1h is out of bounds"}),
      Wan("beat_interval = \"200us\"", "beat_interval", {"unknown unit \"us\""}),
      Wan("beat_interval = 0.2", "beat_interval", {"is a fraction"}),
      Wan("max_clock_skew = \"5KiB\"", "max_clock_skew",
          {"unknown unit \"KiB\"", "ms, s, m, h or d"}),
      Wan("max_clock_skew = 07:32:00", "max_clock_skew", {"is a date or time"}),
      Wan("catch_up_bandwidth = 0", "catch_up_bandwidth", {"is an integer", "in quotes"}),
      Wan("catch_up_bandwidth = \"10Mbit\"", "catch_up_bandwidth", {"unknown unit \"Mbit\""}),
      Wan("catch_up_bandwidth = \"1KiB\"", "catch_up_bandwidth",
          {"too little", "\"64KiB\", or \"0\""}),
      Wan("compression = \"yes\"", "compression", {"is text", "true or false"}),
      Wan("compression = 1", "compression", {"is an integer", "true or false"}),
      Wan("write_deadline = \"1ms\"", "write_deadline", {"out of bounds"}),
      Wan("ping_interval = \"1ms\"", "ping_interval", {"out of bounds"}),
      In("redis", "clients_max = \"100\"", "clients_max", {"is text", "whole number"}),
      In("redis", "clients_max = 0", "clients_max", {"0 is out of bounds", "1 to 1000000"}),
      In("redis", "clients_max = -5", "clients_max", {"out of bounds"}),
      In("redis", "allow_flush = \"true\"", "allow_flush", {"is text", "true or false"}),
      In("log", "level = \"warn\"", "level", {"did you mean \"warning\"?"}),
      In("log", "level = \"loud\"", "level",
         {"\"loud\" is unknown", "\"debug\", \"info\", \"warning\" or \"error\""}),
      In("log", "format = \"xml\"", "format", {"\"json\" or \"text\""}),
      In("log", "level = 3", "level", {"is an integer"}),
      In("log", "mask_values = 0", "mask_values", {"true or false"}),
  };
}

std::vector<Bad> Addresses() {
  const auto listen = [](const std::string& text, std::vector<std::string> words) {
    return In("redis", "listen = \"" + text + "\"", "listen", std::move(words));
  };
  return {
      listen("7379", {"has no port", "ADDRESS:PORT"}),
      listen(":7379", {"does not begin with an IP address"}),
      listen("127.0.0.1", {"has no port"}),
      listen("127.0.0.1:", {"bad port"}),
      listen("127.0.0.1:0", {"bad port", "1 to 65535"}),
      listen("127.0.0.1:70000", {"bad port"}),
      listen("127.0.0.1:redis", {"bad port"}),
      listen("127.0.0.300:7379", {"does not begin with an IP address"}),
      listen("example.org:7379", {"does not begin with an IP address"}),
      listen("::1:7379", {"is no address", "[::1]:7070"}),
      listen("[::1:7379", {"is no address"}),
      listen("[::1]", {"has no port"}),
      listen("0.0.0.0:7379",
             {"can be reached by others", "add [[tokens]], or listen on 127.0.0.1"}),
      listen("[::]:7379", {"can be reached by others"}),
      listen("127.0.0.1:7070", {"is also admin.listen", "use another port"}),
      In("admin", "listen = \"10.1.2.3:7070\"", "listen", {"can be reached by others"}),
      In("admin", "listen = 7070", "listen", {"is an integer"}),
      Nats("[]", {"is empty", "nats://127.0.0.1:4222"}),
      Nats("\"nats://127.0.0.1:4222\"", {"is text", "a list of texts in brackets"}),
      Nats("[4222]", {"holds an integer"}),
      Nats("[\"127.0.0.1:4222\"]", {"has no scheme", "write nats://HOST:PORT"}),
      Nats("[\"http://127.0.0.1:4222\"]", {"scheme \"http\"", "not nats"}),
      Nats("[\"nats://\"]", {"has no host"}),
      Nats("[\"tls://h:4222\"]", {"asks for TLS", "let the servers carry TLS"}),
      Nats("[\"nats://:4222\"]", {"has no host"}),
      Nats("[\"nats://h:99999\"]", {"bad port"}),
      Nats("[\"nats://1.2.3:4222\"]", {"bad host"}),
      Nats("[\"nats://a b:4222\"]", {"bad host"}),
      Nats("[\"nats://good:4222\", \"bad\"]", {"\"bad\" has no scheme"}),
      Nats("[\"nats://u:p@h:4222\"]", {"must not carry a user", "credentials file"}),
  };
}

std::vector<Bad> Names() {
  return {
      Changed("\"shop\"", "\"Shop\"", 2, "cluster.name", {"none of a-z, 0-9 and -", "rename"}),
      Changed("\"shop\"", "\"a.b\"", 2, "cluster.name", {"none of a-z, 0-9 and -"}),
      Changed("\"shop\"", "\"\"", 2, "cluster.name", {"is empty"}),
      Changed("\"shop\"", "\"" + std::string(40, 'a') + "\"", 2, "cluster.name",
              {"longer than 32"}),
      Changed("name = \"shop\"\n", "", 1, "cluster.name", {"is missing", "write name = \"shop\""}),
      Changed("[cluster]\nname = \"shop\"\n", "", 0, "cluster.name", {"is missing"}),
      Changed("[region]\nname = \"us-east\"\n", "", 0, "region.name", {"is missing"}),
      Changed("[region]\nname = \"us-east\"", "[region]\nname = \"us-eats\"", 4, "region.name",
              {"is none of [[regions]]", "did you mean \"us-east\"?"}),
      Changed("[region]\nname = \"us-east\"", "[region]\nname = \"mars\"", 4, "region.name",
              {"is none of [[regions]]", "write one of us-east"}),
      Changed("[[regions]]\nname = \"us-east\"", "[[regions]]\nname = \"us_east\"", 6,
              "regions.name", {"none of a-z, 0-9 and -"}),
      Changed("[[regions]]\nname = \"us-east\"\n", "[[regions]]\n", 5, "regions.name",
              {"is missing"}),
      Changed("id = 1\n", "", 5, "regions.id", {"is missing", "write id = 1"}),
      Changed("id = 1", "id = 0", 7, "regions.id", {"0 is out of bounds", "1 to 63"}),
      Changed("id = 1", "id = 64", 7, "regions.id", {"64 is out of bounds"}),
      Changed("id = 1", "id = -1", 7, "regions.id", {"out of bounds"}),
      Changed("id = 1", "id = \"1\"", 7, "regions.id", {"is text", "whole number"}),
      Changed("nats = " + kUrls + "\n", "", 5, "regions.nats", {"is missing"}),
      Second("\"us-east\"", "2", kUrls, 10, "name",
             {"is taken by the one at", "c.toml:6", "give each its own"}),
      Second("\"eu-west\"", "1", kUrls, 11, "id", {"1 is taken by the one at", "c.toml:7"}),
      {"[cluster]\nname = \"shop\"\n[region]\nname = \"us-east\"\n",
       3,
       "regions",
       {"no region is named"}},
      {"[cluster]\nname = \"shop\"\n[region]\nname = \"us-east\"\n[regions]\nname = \"us-east\"\n",
       5,
       "regions",
       {"write [[regions]]"}},
      Added("[[storage]]\npath = \"/a\"\n", 9, "storage", {"write [storage]"}),
      {"storage = 5\n" + kMinimal, 1, "storage", {"write [storage]"}},
      Changed(kUrls, kUrls + "\ncredentials = \"creds/a\"", 9, "regions.credentials",
              {"neither an absolute path nor the plain name"}),
      Changed(kUrls, kUrls + "\ncredentials = \"\"", 9, "regions.credentials", {"is empty"}),
      Added("[[unique]]\n", 9, "unique.name", {"is missing"}),
      Added("[[unique]]\nname = \"a b\"\n", 10, "unique.name", {"is no table name"}),
      Added("[[unique]]\nname = \"a\"\n[[unique]]\nname = \"a\"\n", 12, "unique.name",
            {"is taken by the one at"}),
      Added("[[tokens]]\nname = \"a\"\nrole = \"root\"\nfile = \"/f\"\n", 11, "tokens.role",
            {"\"viewer\", \"operator\" or \"app\""}),
      Added("[[tokens]]\nname = \"a\"\nrole = \"operater\"\nfile = \"/f\"\n", 11, "tokens.role",
            {"did you mean \"operator\"?"}),
      Added("[[tokens]]\nname = \"a\"\nrole = \"app\"\n", 9, "tokens.file", {"is missing"}),
      Added("[[tokens]]\nname = \"a\"\nrole = \"app\"\nfile = \"../f\"\n", 12, "tokens.file",
            {"neither an absolute path"}),
      Added("[[tokens]]\nname = \"a\"\nrole = \"app\"\nfile = \"/f\"\n"
            "[[tokens]]\nname = \"a\"\nrole = \"app\"\nfile = \"/g\"\n",
            14, "tokens.name", {"is taken"}),
  };
}

std::vector<Bad> Tables() {
  return {
      Added("[[tables]]\n", 9, "tables.name", {"is missing"}),
      Added("[[tables]]\nname = \"a:b\"\n", 10, "tables.name", {"is no table name"}),
      Added("[[tables]]\nname = \"!x\"\n", 10, "tables.name", {"is no table name"}),
      Added("[[tables]]\nname = \"" + std::string(65, 'a') + "\"\n", 10, "tables.name",
            {"1 to 64"}),
      Added("[[tables]]\nname = \"a\"\n[[tables]]\nname = \"a\"\n", 12, "tables.name",
            {"is taken by the one at"}),
      Added("[[tables]]\nname = \"a\"\nplacement = \"local\"\n", 11, "tables.placement",
            {"\"global\" or \"homed\""}),
      Added("[[tables]]\nname = \"a\"\ndefault_home = \"us-east\"\n", 11, "tables.default_home",
            {"only with placement = \"homed\""}),
      Added("[[tables]]\nname = \"a\"\nplacement = \"homed\"\ndefault_home = \"us-eats\"\n", 12,
            "tables.default_home", {"is none of [[regions]]", "did you mean \"us-east\"?"}),
      Added("[[tables]]\nname = \"a\"\nindex = \"email\"\n", 11, "tables.index",
            {"a list of texts"}),
      Added("[[tables]]\nname = \"a\"\nindex = [\"" + std::string(257, 'x') + "\"]\n", 11,
            "tables.index", {"more than 256 bytes"}),
      Added("[[tables]]\nname = \"a\"\nindex = [\"x\", \"x\"]\n", 11, "tables.index",
            {"names \"x\" twice"}),
      Added("[tables]\nname = \"a\"\n", 9, "tables", {"write [[tables]]"}),
      Added("[[tables]]\nname = \"a\"\nfields = 5\n", 11, "tables.fields",
            {"write [tables.fields.NAME]"}),
      Added("[[tables]]\nname = \"a\"\nfields.x = 5\n", 11, "tables.fields",
            {"write [tables.fields.NAME]"}),
      Field("resolve = \"newest\"", 12, "resolve",
            {"\"newest\" is unknown", "\"lww\", \"states\""}),
      Field("resolve = \"lwww\"", 12, "resolve", {"did you mean \"lww\"?"}),
      Field("resolve = \"states\"", 11, "order", {"is missing", "the earliest first"}),
      Field("resolve = \"states\"\norder = []", 13, "order", {"at least two states"}),
      Field("resolve = \"states\"\norder = [\"A\"]", 13, "order", {"at least two states"}),
      Field("resolve = \"states\"\norder = [\"A\", \"B\", \"A\"]", 13, "order",
            {"names \"A\" twice"}),
      Field("resolve = \"states\"\norder = [\"A\", \"\"]", 13, "order", {"holds an empty text"}),
      Field("resolve = \"states\"\norder = [1, 2]", 13, "order", {"holds an integer"}),
      Field("resolve = \"max\"\norder = [\"A\", \"B\"]", 13, "order",
            {"only with resolve = \"states\""}),
      Field("resolve = \"max\"\nmin = 0", 13, "min", {"only with resolve = \"counter\""}),
      Field("resolve = \"counter\"\nmin = \"0\"", 13, "min", {"whole number"}),
  };
}

std::vector<Bad> Together() {
  return {
      Storage("max_record = \"16MiB\"", "max_record",
              {"16MiB is too large", "storage.max_txn (8MiB)", "lower this or raise that"}),
      Storage("max_txn = \"512KiB\"", "max_txn",
              {"512KiB is too small", "storage.max_record (1MiB)"}),
      Storage("max_txn = \"200MiB\"", "max_txn",
              {"storage.memtable_max (256MiB) must hold 2 times as much"}),
      Storage("memtable_max = \"8MiB\"", "memtable_max",
              {"8MiB is too small: it must hold 2 times storage.max_txn"}),
      Storage("journal_max = \"16MiB\"", "journal_max", {"must hold 16 times storage.max_txn"}),
      Storage("map_max = \"64MiB\"", "map_max", {"must hold storage.memtable_max (256MiB)"}),
      Wan("pending_max = \"4MiB\"", "pending_max", {"must hold storage.max_txn (8MiB)"}),
      Wan("fetch_window = \"128MiB\"", "fetch_window", {"wan.pending_max (32MiB)"}),
  };
}

}  // namespace

TEST_CASE("every mistake is answered with file, line, key and what to do") {
  ConfigDir dir;
  std::vector<Bad> all;
  for (const auto& group :
       {Syntax(), Unknown(), Types(), Addresses(), Names(), Tables(), Together()}) {
    all.insert(all.end(), group.begin(), group.end());
  }
  for (const Bad& bad : all) {
    CAPTURE(bad.text);
    const auto loaded = dir.LoadText(bad.text);
    CHECK_FALSE(loaded);
    if (loaded) continue;
    const std::string said = Joined(loaded.error());
    CAPTURE(said);
    const std::string place = dir.path("c.toml") +
                              (bad.line > 0 ? ':' + std::to_string(bad.line) : "") + ": " +
                              (bad.key.empty() ? "" : bad.key + ": ");
    CHECK(said.find(place) != std::string::npos);
    for (const std::string& word : bad.words) {
      CAPTURE(word);
      CHECK(said.find(word) != std::string::npos);
    }
  }
  MESSAGE(all.size(), " bad configurations");
  CHECK(all.size() >= 100);
}

TEST_CASE("a file too large for a configuration is refused before it is parsed") {
  ConfigDir dir;
  const auto loaded = dir.LoadText(kMinimal + std::string(5 << 20, '#'));
  REQUIRE_FALSE(loaded);
  CHECK(Joined(loaded.error()).find("larger than 4 MiB") != std::string::npos);
}

TEST_CASE("a token lets listeners leave the loopback") {
  ConfigDir dir;
  const auto loaded = dir.LoadText(kMinimal +
                                   "[redis]\nlisten = \"0.0.0.0:7379\"\n"
                                   "[[tokens]]\nname = \"a\"\nrole = \"app\"\nfile = \"/f\"\n");
  CHECK(loaded.has_value());
}

}  // namespace hawser::config
