#include "daemon/config/keys.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "conflict/declaration.h"
#include "conflict/schema.h"
#include "daemon/config/address.h"
#include "daemon/config/units.h"

namespace hawser::config {
namespace {

constexpr std::int64_t kKiB = 1024, kMiB = 1024 * kKiB, kGiB = 1024 * kMiB, kTiB = 1024 * kGiB;
constexpr std::int64_t kSecond = 1000, kMinute = 60 * kSecond, kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

std::uint64_t Bytes(const Value& value) {
  return static_cast<std::uint64_t>(value.number);
}

// --- Rules of single texts ----------------------------------------------------------------------
std::string NameProblem(const Value& value) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789-";
  if (value.text.empty()) return "is empty; write a name of a-z, 0-9 and -";
  if (value.text.size() > 32) return "is longer than 32 letters; shorten it";
  const std::size_t bad = value.text.find_first_not_of(kAllowed);
  if (bad == std::string::npos) return {};
  return Quoted(value.text) + " holds a letter that is none of a-z, 0-9 and -; rename it";
}

std::string TableNameProblem(const Value& value) {
  if (IsTableName(value.text)) return {};
  return Quoted(value.text.substr(0, 80)) +
         " is no table name; write 1 to 64 of A-Z a-z 0-9 _ . - that begin with a letter, a digit "
         "or _";
}

std::string ListenProblem(const Value& value) {
  const auto address = ParseListen(value.text);
  return address ? std::string{} : address.error();
}

std::string AbsolutePathProblem(const Value& value) {
  if (value.text.starts_with('/') && value.text.size() > 1) return {};
  return Quoted(value.text.substr(0, 120)) + " is no absolute path of a directory; begin it with /";
}

std::string FileProblem(const Value& value) {
  if (value.text.empty()) return "is empty; name a file, or leave the key out";
  const bool inside =
      value.text.find('/') == std::string::npos && value.text != "." && value.text != "..";
  if (value.text.starts_with('/') || inside) return {};
  return Quoted(value.text.substr(0, 120)) +
         " is neither an absolute path nor the plain name of a systemd credential";
}

std::string UrlProblem(const Value& value) {
  if (value.text.starts_with("http://") || value.text.starts_with("https://")) return {};
  return Quoted(value.text.substr(0, 120)) + " is no URL; begin it with http:// or https://";
}

std::string NatsProblem(const Value& value) {
  if (value.texts.empty())
    return "is empty; name at least one URL, such as [\"nats://127.0.0.1:4222\"]";
  for (const std::string& url : value.texts) {
    if (std::string problem = NatsUrlProblem(url); !problem.empty()) return problem;
  }
  return {};
}

std::string DistinctProblem(const Value& value) {
  for (auto at = value.texts.begin(); at != value.texts.end(); ++at) {
    if (at->empty()) return "holds an empty text; remove it";
    if (std::find(value.texts.begin(), at, *at) != at) {
      return "names " + Quoted(at->substr(0, 80)) + " twice; remove one";
    }
  }
  return {};
}

std::string OrderProblem(const Value& value) {
  if (value.texts.size() < 2) return "needs at least two states, the earliest first";
  for (const std::string& state : value.texts) {
    if (state.size() > kDeclaredNameBytesMax) {
      return "names a state of more than " + std::to_string(kDeclaredNameBytesMax) +
             " bytes; shorten it";
    }
    if (state.find_first_of(std::string_view(" ,=\0", 4)) != std::string::npos) {
      return "names " + Quoted(state.substr(0, 80)) +
             ": a state holds no space, comma, equals sign or zero byte; rename it";
    }
  }
  return DistinctProblem(value);
}

std::string IndexProblem(const Value& value) {
  for (const std::string& field : value.texts) {
    if (field.size() > kDeclaredNameBytesMax) {
      return "names a field of more than " + std::to_string(kDeclaredNameBytesMax) +
             " bytes; an indexed field's name has at most so many";
    }
  }
  return DistinctProblem(value);
}

// --- The table ----------------------------------------------------------------------------------
const std::array kSections = {
    Section{"cluster", Section::Kind::kOne, "What all regions share."},
    Section{"region", Section::Kind::kOne, "Which of the regions this daemon is."},
    Section{"regions", Section::Kind::kMany,
            "The topology: the same names and ids in every region. Files of conf.d may add more.",
            [](Config& c, const std::string&) { c.regions.emplace_back(); }},
    Section{"storage", Section::Kind::kOne,
            "Where records and the journal are kept, and their bounds."},
    Section{"wan", Section::Kind::kOne, "The exchange with other regions."},
    Section{"admin", Section::Kind::kOne, "REST and metrics."},
    Section{"redis", Section::Kind::kOne, "The Redis protocol, for applications."},
    Section{"log", Section::Kind::kOne, "Structured logs on stderr."},
    Section{"conflicts", Section::Kind::kOne,
            "The conflict log of this region: values that gave way to a write which had not seen "
            "them."},
    Section{"idempotency", Section::Kind::kOne,
            "First answers to writes with an Idempotency-Key, given again to a retry."},
    Section{"tables", Section::Kind::kMany,
            "Tables with rules of their own; what is not declared is all lww. The same in every "
            "region.",
            [](Config& c, const std::string&) { c.tables.emplace_back(); }, true},
    Section{"tables.fields", Section::Kind::kNamed,
            "A field of the table above: how concurrent values settle.",
            [](Config& c, const std::string& name) {
              c.tables.back().fields.emplace_back();
              c.tables.back().fields.back().name = name;
            },
            true},
    Section{"unique", Section::Kind::kMany, "Values that at most one owner may have, worldwide.",
            [](Config& c, const std::string&) { c.unique.emplace_back(); }, true},
    Section{"feeds", Section::Kind::kOne, "What local applications hear on this region's NATS."},
    Section{"webhook", Section::Kind::kOne,
            "Told of each claim of this region that a rival's won over (POST, JSON)."},
    Section{"tokens", Section::Kind::kMany,
            "Who may call. Without any token only loopback addresses are listened on.",
            [](Config& c, const std::string&) { c.tokens.emplace_back(); }, true},
};

using enum KeyType;
constexpr auto kLive = Reload::kLive;

const std::array kKeys = {
    Key{.section = "cluster",
        .name = "name",
        .type = kText,
        .required = true,
        .meaning = "Prefix of every NATS subject; the same everywhere.",
        .example = "\"shop\"",
        .problem = NameProblem,
        .store = [](Config& c, const Value& v) { c.cluster = v.text; }},

    Key{.section = "region",
        .name = "name",
        .type = kText,
        .required = true,
        .meaning = "The name of one of [[regions]].",
        .example = "\"us-east\"",
        .problem = NameProblem,
        .store = [](Config& c, const Value& v) { c.region = v.text; }},

    Key{.section = "regions",
        .name = "name",
        .type = kText,
        .required = true,
        .meaning = "Of a-z, 0-9 and -; never reused.",
        .example = "\"us-east\"",
        .problem = NameProblem,
        .store = [](Config& c, const Value& v) { c.regions.back().name = v.text; }},
    Key{.section = "regions",
        .name = "id",
        .type = kInteger,
        .required = true,
        .meaning = "1 to 63, never reused.",
        .example = "1",
        .min = 1,
        .max = kRegionIdMax,
        .store =
            [](Config& c, const Value& v) {
              c.regions.back().id = RegionId{static_cast<std::uint8_t>(v.number)};
            }},
    Key{.section = "regions",
        .name = "nats",
        .type = kTexts,
        .required = true,
        .meaning = "How this daemon reaches that region's NATS (a local matter, not compared).",
        .example = "[\"nats://127.0.0.1:4222\"]",
        .problem = NatsProblem,
        .store = [](Config& c, const Value& v) { c.regions.back().nats = v.texts; }},
    Key{.section = "regions",
        .name = "credentials",
        .type = kText,
        .meaning = "NATS credentials file: an absolute path, or the name of a systemd credential.",
        .example = "\"nats.creds\"",
        .problem = FileProblem,
        .store = [](Config& c, const Value& v) { c.regions.back().credentials = v.text; }},

    Key{.section = "storage",
        .name = "path",
        .type = kText,
        .fallback = "\"/var/lib/hawser\"",
        .meaning = "Directory of the store; one daemon only. On a local disk, never NFS.",
        .problem = AbsolutePathProblem,
        .store = [](Config& c, const Value& v) { c.storage.path = v.text; }},
    Key{.section = "storage",
        .name = "journal_max",
        .type = kSize,
        .fallback = "\"16GiB\"",
        .meaning = "Disk for the journal. Past it, peers that are away become stale; at it, writes "
                   "get FULL.",
        .min = 16 * kMiB,
        .max = 64 * kTiB,
        .store = [](Config& c, const Value& v) { c.storage.journal_max = Bytes(v); }},
    Key{.section = "storage",
        .name = "memtable_max",
        .type = kSize,
        .fallback = "\"256MiB\"",
        .meaning = "Memory for records not yet in the record tables.",
        .min = 8 * kMiB,
        .max = kTiB,
        .store = [](Config& c, const Value& v) { c.storage.memtable_max = Bytes(v); }},
    Key{.section = "storage",
        .name = "map_max",
        .type = kSize,
        .fallback = "\"1TiB\"",
        .meaning =
            "The most the record tables may grow to (address space; disk is used as needed).",
        .min = 64 * kMiB,
        .max = 64 * kTiB,
        .store = [](Config& c, const Value& v) { c.storage.map_max = Bytes(v); }},
    Key{.section = "storage",
        .name = "max_record",
        .type = kSize,
        .fallback = "\"1MiB\"",
        .meaning = "Largest record accepted from clients here; larger ones get TOOBIG.",
        .min = kKiB,
        .max = 64 * kMiB,
        .store = [](Config& c, const Value& v) { c.storage.record_max = Bytes(v); }},
    Key{.section = "storage",
        .name = "max_txn",
        .type = kSize,
        .fallback = "\"8MiB\"",
        .meaning = "Largest transaction accepted from clients here; larger ones get TOOBIG.",
        .min = kKiB,
        .max = 256 * kMiB,
        .store = [](Config& c, const Value& v) { c.storage.txn_max = Bytes(v); }},

    Key{.section = "wan",
        .name = "beat_interval",
        .type = kDuration,
        .fallback = "\"200ms\"",
        .meaning = "The longest silence towards other regions.",
        .min = 10,
        .max = 10 * kSecond,
        .store = [](Config& c, const Value& v) { c.wan.beat_interval_ms = v.number; }},
    Key{.section = "wan",
        .name = "max_clock_skew",
        .type = kDuration,
        .fallback = "\"500ms\"",
        .meaning =
            "Clock steps beyond it are not followed; writes of peers further ahead are held.",
        .min = 10,
        .max = kHour,
        .store = [](Config& c, const Value& v) { c.wan.clock_skew_ms_max = v.number; }},
    Key{.section = "wan",
        .name = "catch_up_bandwidth",
        .type = kSize,
        .fallback = "\"0\"",
        .meaning = "Bytes per second sent to each peer that catches up; 0 is no limit.",
        .min = 0,
        .max = kTiB,
        .store = [](Config& c, const Value& v) { c.wan.catch_up_bandwidth = Bytes(v); }},
    Key{.section = "wan",
        .name = "fetch_window",
        .type = kSize,
        .fallback = "\"8MiB\"",
        .meaning = "Asked for and not yet received, per peer; twice that may wait to be looked at.",
        .min = 256 * kKiB,
        .max = kGiB,
        .store = [](Config& c, const Value& v) { c.wan.fetch_window = Bytes(v); }},
    Key{.section = "wan",
        .name = "pending_max",
        .type = kSize,
        .fallback = "\"32MiB\"",
        .meaning =
            "Memory for what was received and waits to be applied, per region; past it the newest "
            "is dropped and fetched later.",
        .min = kMiB,
        .max = 64 * kGiB,
        .store = [](Config& c, const Value& v) { c.wan.pending_max = Bytes(v); }},
    Key{.section = "wan",
        .name = "send_max",
        .type = kSize,
        .fallback = "\"8MiB\"",
        .meaning =
            "Memory for what waits to be sent, per NATS connection; past it messages are dropped "
            "and fetched by the peer.",
        .min = 512 * kKiB,
        .max = kGiB,
        .store = [](Config& c, const Value& v) { c.wan.send_max = Bytes(v); }},
    Key{.section = "wan",
        .name = "compression",
        .type = kBoolean,
        .fallback = "true",
        .meaning =
            "Compress batches (zstd) where that pays: not while every region is nearer than 5 ms.",
        .store = [](Config& c, const Value& v) { c.wan.compression = v.number != 0; }},
    Key{.section = "wan",
        .name = "write_deadline",
        .type = kDuration,
        .fallback = "\"2s\"",
        .meaning = "A NATS server that takes nothing for so long is given up and dialled again.",
        .min = 100,
        .max = kMinute,
        .store = [](Config& c, const Value& v) { c.wan.write_deadline_ms = v.number; }},
    Key{.section = "wan",
        .name = "ping_interval",
        .type = kDuration,
        .fallback = "\"5s\"",
        .meaning =
            "How often a NATS server is pinged; two pings without an answer end the connection.",
        .min = 500,
        .max = kHour,
        .store = [](Config& c, const Value& v) { c.wan.ping_interval_ms = v.number; }},

    Key{.section = "admin",
        .name = "listen",
        .type = kText,
        .fallback = "\"127.0.0.1:7070\"",
        .meaning = "Address and port of REST and metrics.",
        .problem = ListenProblem,
        .store = [](Config& c, const Value& v) { c.admin.listen = *ParseListen(v.text); }},

    Key{.section = "redis",
        .name = "listen",
        .type = kText,
        .fallback = "\"127.0.0.1:7379\"",
        .meaning = "Address and port of the Redis protocol.",
        .problem = ListenProblem,
        .store = [](Config& c, const Value& v) { c.redis.listen = *ParseListen(v.text); }},
    Key{.section = "redis",
        .name = "allow_flush",
        .type = kBoolean,
        .fallback = "false",
        .meaning = "Whether FLUSHDB and FLUSHALL work; they delete worldwide.",
        .store = [](Config& c, const Value& v) { c.redis.allow_flush = v.number != 0; }},
    Key{.section = "redis",
        .name = "clients_max",
        .type = kInteger,
        .fallback = "10000",
        .meaning = "Connections at a time; more are refused with an error.",
        .min = 1,
        .max = 1'000'000,
        .store =
            [](Config& c, const Value& v) {
              c.redis.clients_max = static_cast<std::uint32_t>(v.number);
            }},

    Key{.section = "log",
        .name = "level",
        .type = kChoice,
        .fallback = "\"info\"",
        .reload = kLive,
        .meaning = "The least that is logged.",
        .choices = "debug info warning error",
        .store =
            [](Config& c, const Value& v) {
              c.log.level = v.text == "debug"     ? LogLevel::kDebug
                            : v.text == "info"    ? LogLevel::kInfo
                            : v.text == "warning" ? LogLevel::kWarning
                                                  : LogLevel::kError;
            }},
    Key{.section = "log",
        .name = "format",
        .type = kChoice,
        .fallback = "\"json\"",
        .reload = kLive,
        .meaning = "One JSON object a line, or text for people.",
        .choices = "json text",
        .store =
            [](Config& c, const Value& v) {
              c.log.format = v.text == "json" ? LogFormat::kJson : LogFormat::kText;
            }},
    Key{.section = "log",
        .name = "mask_values",
        .type = kBoolean,
        .fallback = "true",
        .reload = kLive,
        .meaning = "Keep keys and values of users out of the log.",
        .store = [](Config& c, const Value& v) { c.log.mask_values = v.number != 0; }},

    Key{.section = "conflicts",
        .name = "max_age",
        .type = kDuration,
        .fallback = "\"30d\"",
        .meaning = "How long a logged conflict is kept. Its resolution is replicated and kept as "
                   "long.",
        .min = kMinute,
        .max = 36500 * kDay,
        .store = [](Config& c, const Value& v) { c.conflicts.age_ms_max = v.number; }},
    Key{.section = "conflicts",
        .name = "max_size",
        .type = kSize,
        .fallback = "\"1GiB\"",
        .meaning =
            "Room for the log; past it the oldest go first. At most a quarter of storage.map_max.",
        .min = kMiB,
        .max = kTiB,
        .store = [](Config& c, const Value& v) { c.conflicts.log_bytes_max = Bytes(v); }},

    Key{.section = "idempotency",
        .name = "max_age",
        .type = kDuration,
        .fallback = "\"24h\"",
        .meaning = "How long an answer is kept: a retry that comes later is carried out as new.",
        .min = kSecond,
        .max = 30 * kDay,
        .store = [](Config& c, const Value& v) { c.idempotency.age_ms_max = v.number; }},
    Key{.section = "idempotency",
        .name = "max_size",
        .type = kSize,
        .fallback = "\"256MiB\"",
        .meaning = "Room for the answers to this region's clients, some 400 bytes each and kept in "
                   "every region; past it writes with a new key are refused. At most a sixteenth "
                   "of storage.map_max.",
        .min = 64 * kKiB,
        .max = kTiB,
        .store = [](Config& c, const Value& v) { c.idempotency.bytes_max = Bytes(v); }},

    Key{.section = "tables",
        .name = "name",
        .type = kText,
        .required = true,
        .reload = kLive,
        .meaning = "Redis key \"orders:42\" is key \"42\" of table \"orders\".",
        .example = "\"orders\"",
        .problem = TableNameProblem,
        .store = [](Config& c, const Value& v) { c.tables.back().name = v.text; }},
    Key{.section = "tables",
        .name = "placement",
        .type = kChoice,
        .fallback = "\"global\"",
        .reload = kLive,
        .meaning = "Written in every region, or in one home per key.",
        .choices = "global homed",
        .store = [](Config& c, const Value& v) { c.tables.back().placement = v.text; }},
    Key{.section = "tables",
        .name = "default_home",
        .type = kText,
        .reload = kLive,
        .meaning = "With placement = \"homed\": the region of keys that nobody has homed yet.",
        .example = "\"eu-west\"",
        .problem = NameProblem,
        .store = [](Config& c, const Value& v) { c.tables.back().default_home = v.text; }},
    Key{.section = "tables",
        .name = "index",
        .type = kTexts,
        .fallback = "[]",
        .reload = kLive,
        .meaning = "Fields with a secondary key.",
        .example = "[\"email\"]",
        .problem = IndexProblem,
        .store = [](Config& c, const Value& v) { c.tables.back().index = v.texts; }},

    Key{.section = "tables.fields",
        .name = "resolve",
        .type = kChoice,
        .fallback = "\"lww\"",
        .reload = kLive,
        .meaning =
            "lww: the later; states: the later of `order`; first, max, min: that one; counter: "
            "adds up.",
        .example = "\"states\"",
        .choices = "lww states first max min counter",
        .store = [](Config& c, const Value& v) { c.tables.back().fields.back().resolve = v.text; }},
    Key{.section = "tables.fields",
        .name = "order",
        .type = kTexts,
        .reload = kLive,
        .meaning = "With resolve = \"states\": the line of states, the earliest first.",
        .example = "[\"OPEN\", \"PAID\", \"SHIPPED\", \"CLOSED\"]",
        .problem = OrderProblem,
        .store = [](Config& c, const Value& v) { c.tables.back().fields.back().order = v.texts; }},
    Key{.section = "tables.fields",
        .name = "min",
        .type = kInteger,
        .reload = kLive,
        .meaning =
            "With resolve = \"counter\": never to fall below; only 0 is taken (docs/escrow.md).",
        .example = "0",
        .min = INT64_MIN,
        .max = INT64_MAX,
        .store = [](Config& c, const Value& v) { c.tables.back().fields.back().min = v.number; }},
    Key{.section = "tables.fields",
        .name = "conflict_log",
        .type = kBoolean,
        .fallback = "true",
        .meaning =
            "Whether this region logs values of the field that give way (a local matter, not "
            "compared). They are counted all the same.",
        .store =
            [](Config& c, const Value& v) {
              c.tables.back().fields.back().conflict_log = v.number != 0;
            }},

    Key{.section = "unique",
        .name = "name",
        .type = kText,
        .required = true,
        .reload = kLive,
        .meaning = "What the values are, as in UNIQ CLAIM login …",
        .example = "\"login\"",
        .problem = TableNameProblem,
        .store = [](Config& c, const Value& v) { c.unique.back().name = v.text; }},

    Key{.section = "feeds",
        .name = "changes",
        .type = kBoolean,
        .fallback = "false",
        .meaning = "Whether each applied change is published too "
                   "(hw.CLUSTER.changes.REGION.TABLE); costs a tenth of the write throughput, "
                   "listened to or not. Conflicts and lost claims always are, and GET /v1/changes "
                   "works without it.",
        .store = [](Config& c, const Value& v) { c.feeds.changes = v.number != 0; }},

    Key{.section = "webhook",
        .name = "url",
        .type = kText,
        .meaning = "Where to POST; each event at least once, retried for as long as the conflict "
                   "log keeps it.",
        .example = "\"https://hooks.example.com/hawser\"",
        .problem = UrlProblem,
        .store = [](Config& c, const Value& v) { c.webhook.url = v.text; }},
    Key{.section = "webhook",
        .name = "secret_file",
        .type = kText,
        .meaning = "The secret that signs each call (HMAC-SHA256): an absolute path, or the name "
                   "of a systemd credential.",
        .example = "\"webhook.secret\"",
        .problem = FileProblem,
        .store = [](Config& c, const Value& v) { c.webhook.secret_file = v.text; }},

    Key{.section = "tokens",
        .name = "name",
        .type = kText,
        .required = true,
        .meaning = "Shown in logs and the audit.",
        .example = "\"ops\"",
        .problem = NameProblem,
        .store = [](Config& c, const Value& v) { c.tokens.back().name = v.text; }},
    Key{.section = "tokens",
        .name = "role",
        .type = kChoice,
        .required = true,
        .meaning = "viewer reads state; app reads and writes records; operator does all.",
        .example = "\"operator\"",
        .choices = "viewer operator app",
        .store =
            [](Config& c, const Value& v) {
              c.tokens.back().role = v.text == "viewer"     ? TokenRole::kViewer
                                     : v.text == "operator" ? TokenRole::kOperator
                                                            : TokenRole::kApp;
            }},
    Key{.section = "tokens",
        .name = "file",
        .type = kText,
        .required = true,
        .meaning = "File with the secret, mode 0600: an absolute path, or the name of a systemd "
                   "credential.",
        .example = "\"/etc/hawser/ops.token\"",
        .problem = FileProblem,
        .store = [](Config& c, const Value& v) { c.tokens.back().file = v.text; }},
};

}  // namespace

std::span<const Section> Sections() {
  return kSections;
}
std::span<const Key> Keys() {
  return kKeys;
}

}  // namespace hawser::config
