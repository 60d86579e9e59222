#include "daemon/redis/command.h"

#include <array>
#include <cstring>

#include "daemon/redis/call.h"
#include "daemon/redis/handlers.h"

namespace hawser::redis {
namespace {

constexpr auto kGet = Family::kGet;
constexpr auto kSet = Family::kSet;
constexpr auto kCounter = Family::kCounter;
constexpr auto kHashRead = Family::kHashRead;
constexpr auto kHashWrite = Family::kHashWrite;
constexpr auto kKeyRead = Family::kKeyRead;
constexpr auto kKeyWrite = Family::kKeyWrite;
constexpr auto kScan = Family::kScan;
constexpr auto kTxn = Family::kTxn;
constexpr auto kWait = Family::kWait;
constexpr auto kConnection = Family::kConnection;
constexpr auto kAdmin = Family::kAdmin;
constexpr auto kUnique = Family::kUnique;

constexpr Command Read(std::string_view name, int arity, Family family, void (*run)(Call&),
                       int last_key = 1) {
  return {name, arity, Place::kRead, family, run, nullptr, 1, last_key, 1, false, false};
}
constexpr Command Write(std::string_view name, int arity, Family family, void (*run)(Call&),
                        int last_key = 1, int step = 1) {
  return {name, arity, Place::kWrite, family, run, nullptr, 1, last_key, step, false, false};
}
constexpr Command Pure(std::string_view name, int arity, void (*run)(Call&)) {
  return {name, arity, Place::kPure, kConnection, run, nullptr, 0, 0, 0, false, false};
}
constexpr Command Client(std::string_view name, int arity, Family family,
                         void (*serve)(ClientCall&), bool before_auth = false) {
  return {name, arity, Place::kClient, family, nullptr, serve, 0, 0, 0, false, before_auth};
}
constexpr Command Alone(std::string_view name, int arity, Family family, void (*serve)(ClientCall&),
                        bool needs_operator = false) {
  return {name, arity, Place::kAlone, family, nullptr, serve, 0, 0, 0, needs_operator, false};
}

constexpr Command kCommands[] = {
    // strings
    Read("GET", 2, kGet, Get),
    Read("MGET", -2, kGet, MGet, -1),
    Read("STRLEN", 2, kGet, StrLen),
    Read("GETRANGE", 4, kGet, GetRange),
    Read("SUBSTR", 4, kGet, GetRange),
    Write("SET", -3, kSet, Set),
    Write("SETNX", 3, kSet, SetNx),
    Write("SETEX", 4, kSet, SetEx),
    Write("PSETEX", 4, kSet, PSetEx),
    Write("GETSET", 3, kSet, GetSet),
    Write("GETDEL", 2, kSet, GetDel),
    Write("GETEX", -2, kSet, GetEx),
    Write("MSET", -3, kSet, MSet, -1, 2),
    Write("MSETNX", -3, kSet, MSetNx, -1, 2),
    Write("APPEND", 3, kSet, Append),
    Write("SETRANGE", 4, kSet, SetRange),
    // counters
    Write("INCR", 2, kCounter, Incr),
    Write("DECR", 2, kCounter, Decr),
    Write("INCRBY", 3, kCounter, IncrBy),
    Write("DECRBY", 3, kCounter, DecrBy),
    Write("INCRBYFLOAT", 3, kCounter, IncrByFloat),
    Write("HINCRBY", 4, kCounter, HIncrBy),
    Write("HINCRBYFLOAT", 4, kCounter, HIncrByFloat),
    // keys
    Read("EXISTS", -2, kKeyRead, Exists, -1),
    Read("TOUCH", -2, kKeyRead, Exists, -1),
    Read("TYPE", 2, kKeyRead, Type),
    Read("TTL", 2, kKeyRead, Ttl),
    Read("PTTL", 2, kKeyRead, PTtl),
    Read("EXPIRETIME", 2, kKeyRead, ExpireTime),
    Read("PEXPIRETIME", 2, kKeyRead, PExpireTime),
    Write("DEL", -2, kKeyWrite, Del, -1),
    Write("UNLINK", -2, kKeyWrite, Del, -1),
    Write("EXPIRE", -3, kKeyWrite, Expire),
    Write("PEXPIRE", -3, kKeyWrite, PExpire),
    Write("EXPIREAT", -3, kKeyWrite, ExpireAt),
    Write("PEXPIREAT", -3, kKeyWrite, PExpireAt),
    Write("PERSIST", 2, kKeyWrite, Persist),
    Write("RENAME", 3, kKeyWrite, Rename, 2),
    Write("RENAMENX", 3, kKeyWrite, RenameNx, 2),
    Write("COPY", -3, kKeyWrite, Copy, 2),
    Alone("SCAN", -2, kScan, Scan),
    Alone("KEYS", 2, kScan, Keys),
    Alone("DBSIZE", 1, kScan, DbSize),
    Alone("RANDOMKEY", 1, kScan, RandomKey),
    Alone("FLUSHDB", -1, kKeyWrite, Flush, true),
    Alone("FLUSHALL", -1, kKeyWrite, Flush, true),
    // hashes
    Read("HGET", 3, kHashRead, HGet),
    Read("HMGET", -3, kHashRead, HMGet),
    Read("HGETALL", 2, kHashRead, HGetAll),
    Read("HKEYS", 2, kHashRead, HKeys),
    Read("HVALS", 2, kHashRead, HVals),
    Read("HEXISTS", 3, kHashRead, HExists),
    Read("HLEN", 2, kHashRead, HLen),
    Read("HSTRLEN", 3, kHashRead, HStrLen),
    Read("HSCAN", -3, kHashRead, HScan),
    Read("HRANDFIELD", -2, kHashRead, HRandField),
    Write("HSET", -4, kHashWrite, HSet),
    Write("HMSET", -4, kHashWrite, HMSet),
    Write("HSETNX", 4, kHashWrite, HSetNx),
    Write("HDEL", -3, kHashWrite, HDel),
    // bundles
    Client("MULTI", 1, kTxn, Multi),
    Client("EXEC", 1, kTxn, Exec),
    Client("DISCARD", 1, kTxn, Discard),
    Client("WATCH", -2, kTxn, Watch),
    Client("UNWATCH", 1, kTxn, Unwatch),
    // connection
    Pure("PING", -1, Ping),
    Pure("ECHO", 2, Echo),
    Pure("TIME", 1, Time),
    Pure("SELECT", 2, Select),
    Client("HELLO", -1, kConnection, Hello, true),
    Client("AUTH", -2, kConnection, Auth, true),
    Client("QUIT", -1, kConnection, Quit, true),
    Client("RESET", 1, kConnection, Reset, true),
    Client("CLIENT", -2, kConnection, ClientCommand),
    Client("SUBSCRIBE", -2, kConnection, Subscribe),
    Client("PSUBSCRIBE", -2, kConnection, PSubscribe),
    Client("UNSUBSCRIBE", -1, kConnection, Unsubscribe),
    Client("PUNSUBSCRIBE", -1, kConnection, PUnsubscribe),
    // the server
    Client("COMMAND", -1, kAdmin, CommandCommand),
    Client("CONFIG", -2, kAdmin, Config),
    Alone("INFO", -1, kAdmin, Info),
    Alone("WAIT", 3, kWait, Wait),
    Alone("HAWSER", -2, kAdmin, Hawser),
    // Waits for no other region but with WAITMS; inside MULTI part of the bundle's txn.
    {"UNIQ", -2, Place::kAlone, kUnique, UniqInBundle, Uniq, 0, 0, 0, false, false},
    Alone("HOME", -3, kAdmin, HomeCommand),
};

// Open addressing over the names, built once; names are at most 16 bytes.
struct Key {
  std::uint64_t low = 0, high = 0;
  bool operator==(const Key&) const = default;
};

bool MakeKey(std::string_view name, Key& key) {
  if (name.empty() || name.size() > 16) return false;
  char upper[16] = {};
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    upper[i] = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  }
  std::memcpy(&key.low, upper, 8);
  std::memcpy(&key.high, upper + 8, 8);
  return true;
}

class Index {
 public:
  Index() {
    for (const Command& command : kCommands) {
      Key key;
      MakeKey(command.name, key);
      std::size_t at = Slot(key);
      while (slots_[at].command != nullptr) at = (at + 1) % kSlots;
      slots_[at] = {key, &command};
    }
  }
  const Command* Find(std::string_view name) const {
    Key key;
    if (!MakeKey(name, key)) return nullptr;
    for (std::size_t at = Slot(key); slots_[at].command != nullptr; at = (at + 1) % kSlots) {
      if (slots_[at].key == key) return slots_[at].command;
    }
    return nullptr;
  }

 private:
  static constexpr std::size_t kSlots = 512;
  static std::size_t Slot(const Key& key) {
    const std::uint64_t mixed = (key.low ^ (key.high * 0x9e3779b97f4a7c15)) * 0xff51afd7ed558ccd;
    return static_cast<std::size_t>(mixed >> 55);
  }
  struct Entry {
    Key key;
    const Command* command = nullptr;
  };
  std::array<Entry, kSlots> slots_{};
};
static_assert(std::size(kCommands) < 256);

struct AbsentKind {
  std::string_view reason;
  std::string_view names;  // blank before and after each
};
constexpr AbsentKind kAbsent[] = {
    {"ERR hawser has no lists; keep a hash, or one key per element",
     " LPUSH RPUSH LPUSHX RPUSHX LPOP RPOP LLEN LRANGE LINDEX LSET LREM LINSERT LTRIM LMOVE LMPOP "
     "LPOS RPOPLPUSH BLPOP BRPOP BLMOVE BLMPOP BRPOPLPUSH "},
    {"ERR hawser has no sets; keep a hash whose fields are the members",
     " SADD SREM SISMEMBER SMISMEMBER SMEMBERS SCARD SPOP SRANDMEMBER SMOVE SINTER SINTERSTORE "
     "SINTERCARD SUNION SUNIONSTORE SDIFF SDIFFSTORE SSCAN "},
    {"ERR hawser has no sorted sets",
     " ZADD ZREM ZSCORE ZMSCORE ZCARD ZCOUNT ZINCRBY ZRANGE ZRANGESTORE ZRANGEBYSCORE "
     "ZREVRANGEBYSCORE ZRANGEBYLEX ZREVRANGEBYLEX ZREVRANGE ZRANK ZREVRANK ZPOPMIN ZPOPMAX "
     "BZPOPMIN "
     "BZPOPMAX BZMPOP ZMPOP ZSCAN ZUNION ZUNIONSTORE ZINTER ZINTERSTORE ZINTERCARD ZDIFF "
     "ZDIFFSTORE "
     "ZLEXCOUNT ZRANDMEMBER ZREMRANGEBYRANK ZREMRANGEBYSCORE ZREMRANGEBYLEX GEOADD GEODIST GEOHASH "
     "GEOPOS GEOSEARCH GEOSEARCHSTORE GEORADIUS GEORADIUSBYMEMBER "},
    {"ERR hawser has no streams",
     " XADD XLEN XRANGE XREVRANGE XREAD XREADGROUP XGROUP XACK XCLAIM XAUTOCLAIM XDEL XINFO "
     "XPENDING "
     "XTRIM XSETID "},
    {"ERR hawser has no scripts",
     " EVAL EVALSHA EVAL_RO EVALSHA_RO SCRIPT FUNCTION FCALL FCALL_RO "},
    {"ERR hawser has no bit operations, HyperLogLogs or sorting",
     " SETBIT GETBIT BITCOUNT BITPOS BITOP BITFIELD BITFIELD_RO PFADD PFCOUNT PFMERGE SORT SORT_RO "
     "LCS DUMP RESTORE OBJECT MIGRATE MOVE SWAPDB "},
    {"ERR clients cannot publish; hawser itself publishes on channels hawser.*",
     " PUBLISH SPUBLISH SSUBSCRIBE SUNSUBSCRIBE PUBSUB "},
    {"ERR hawser replicates by itself; it is neither a replica nor a cluster node of Redis",
     " REPLICAOF SLAVEOF PSYNC SYNC REPLCONF CLUSTER READONLY READWRITE ASKING FAILOVER ROLE "},
    {"ERR this is for operators of Redis; see hawserctl",
     " SAVE BGSAVE BGREWRITEAOF LASTSAVE SHUTDOWN DEBUG MEMORY LATENCY SLOWLOG MONITOR ACL "
     "MODULE "},
};

}  // namespace

const char* Name(Family family) {
  switch (family) {
    case Family::kGet:
      return "get";
    case Family::kSet:
      return "set";
    case Family::kCounter:
      return "counter";
    case Family::kHashRead:
      return "hash_read";
    case Family::kHashWrite:
      return "hash_write";
    case Family::kKeyRead:
      return "key_read";
    case Family::kKeyWrite:
      return "key_write";
    case Family::kScan:
      return "scan";
    case Family::kTxn:
      return "txn";
    case Family::kWait:
      return "wait";
    case Family::kConnection:
      return "connection";
    case Family::kAdmin:
      return "admin";
    case Family::kUnique:
      return "unique";
  }
  return "other";
}

std::span<const Command> AllCommands() {
  return kCommands;
}

const Command* FindCommand(std::string_view name) {
  static const Index index;
  return index.Find(name);
}

bool ArityFits(const Command& command, std::size_t count) {
  const auto have = static_cast<std::int64_t>(count);
  return command.arity >= 0 ? have == command.arity : have >= -command.arity;
}

std::string_view AbsentReason(std::string_view name) {
  if (name.size() > 20) return {};
  char word[22];
  std::size_t size = 0;
  word[size++] = ' ';
  for (const char c : name) word[size++] = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  word[size++] = ' ';
  for (const AbsentKind& kind : kAbsent) {
    if (kind.names.find(std::string_view(word, size)) != std::string_view::npos) return kind.reason;
  }
  return {};
}

}  // namespace hawser::redis
