#include "daemon/redis/announcer.h"

#include <algorithm>

#include "daemon/redis/connection.h"
#include "daemon/redis/glob.h"
#include "daemon/redis/key_name.h"
#include "daemon/redis/reply.h"
#include "daemon/redis/service.h"

namespace hawser::redis {
namespace {

constexpr std::uint32_t kTxnsPerPiece = 512;
constexpr std::size_t kChangesPerPiece = 512;
constexpr std::size_t kBytesPerPiece = 1024 * 1024;  // of txns
constexpr std::int64_t kPieceNs = 2'000'000;
constexpr std::size_t kNoteBytes = 64;  // beside its texts
constexpr std::string_view kChanges = "hawser.changes.";
constexpr std::string_view kGap = "hawser.gap";

bool HasPrefix(const std::vector<std::string>& prefixes, std::string_view key) {
  return prefixes.empty() || std::ranges::any_of(prefixes, [&](const std::string& prefix) {
           return key.starts_with(prefix);
         });
}

// True if a prefix names the table of a key whose own name does not, "default:…": who says so calls
// the key so. `name`: that name.
bool CallsByTable(const std::vector<std::string>& prefixes, const Change& change,
                  std::string_view redis_key, std::string& name) {
  if (prefixes.empty() || redis_key.size() != change.key.size()) return false;
  name.assign(change.table).append(":").append(change.key);
  return std::ranges::any_of(prefixes, [&](const std::string& prefix) {
    return prefix.size() > change.table.size() && name.starts_with(prefix);
  });
}

void PublishOn(Connection& client, std::string_view channel, std::string_view message) {
  if (client.state.channels.contains(channel)) {
    client.Push(Seq{0}, [&](Reply& reply) {
      reply.Push(3);
      reply.Bulk("message");
      reply.Bulk(channel);
      reply.Bulk(message);
    });
  }
  for (const std::string& pattern : client.state.patterns) {
    if (!GlobMatches(pattern, channel)) continue;
    client.Push(Seq{0}, [&](Reply& reply) {
      reply.Push(4);
      reply.Bulk("pmessage");
      reply.Bulk(pattern);
      reply.Bulk(channel);
      reply.Bulk(message);
    });
  }
}

}  // namespace

// --- Who listens ---------------------------------------------------------------------------------

void Announcer::Follow(const Connection& client) {
  const TrackingState& tracking = client.state.tracking;
  const bool subscribed = client.state.subscriptions() > 0;
  const bool listens = !client.closed() && (tracking.on || subscribed);
  const bool loud = listens && (subscribed || tracking.broadcast);
  if (loud) {
    loud_.insert(client.id());
  } else if (!loud_.empty()) {
    loud_.erase(client.id());
  }
  if (listens) {
    if (listeners_.empty()) Begin();
    listeners_.insert(client.id());
  } else if (listeners_.erase(client.id()) > 0 && listeners_.empty()) {
    wanted_ = false;
    noted_.clear();
    notes_of_.clear();
    note_bytes_ = 0;
  }
}

void Announcer::Begin() {
  if (!journal_) {
    journal_ = service_.engine().NewJournalReader();
    self_ = service_.engine().status().self;
  }
  // A moment old, so rather a change too many.
  follower_.MoveTo({Lsn{Raw(service_.engine().storage().lsn_last) + 1}, 0});
  wanted_ = true;
  if (Rung()) service_.AnnounceLater();  // what was committed before the bell was listened to
}

bool Announcer::Tracks(std::uint64_t connection) const {
  const Connection* client = service_.Find(connection);
  return client != nullptr && !client->closed() && client->state.tracking.on &&
         !client->state.tracking.broadcast;
}

// --- Notes ---------------------------------------------------------------------------------------

std::size_t Announcer::BytesOf(std::string_view key, const Noted& noted) {
  return kNoteBytes + key.size() + noted.name.size();
}

void Announcer::Note(Connection& client, std::string_view redis_key) {
  const auto parts = ParseKeyName(redis_key);
  if (!parts) return;  // the command answers so
  key_.clear();
  AppendRedisKey(parts->table, parts->key, key_);
  auto at = noted_.find(key_);
  if (at == noted_.end()) at = noted_.try_emplace(key_).first;
  const bool known = std::ranges::any_of(at->second, [&](const Noted& each) {
    return each.connection == client.id() &&
           (each.name.empty() ? key_ == redis_key : each.name == redis_key);
  });
  if (known) return;
  at->second.push_back({client.id(), key_ == redis_key ? std::string() : std::string(redis_key)});
  note_bytes_ += BytesOf(key_, at->second.back());
  ++notes_of_[client.id()];
  KeepToLimits(client.id());
}

void Announcer::Unnote(std::string_view key, const Noted& noted) {
  note_bytes_ -= BytesOf(key, noted);
  const auto at = notes_of_.find(noted.connection);
  if (--at->second == 0) notes_of_.erase(at);
}

void Announcer::Forget(const std::function<bool(std::uint64_t connection)>& goes) {
  for (auto at = noted_.begin(); at != noted_.end();) {
    std::erase_if(at->second, [&](const Noted& noted) {
      if (!goes(noted.connection)) return false;
      Unnote(at->first, noted);
      return true;
    });
    at = at->second.empty() ? noted_.erase(at) : std::next(at);
  }
}

void Announcer::KeepToLimits(std::uint64_t client) {
  const RedisOptions& options = service_.options();
  if (notes_of_[client] > options.tracked_keys_max) {
    Forget([&](std::uint64_t id) { return id == client; });
    InvalidateAllLater(client);
  }
  if (note_bytes_ <= options.tracked_bytes_max) return;
  Forget([&](std::uint64_t id) { return !Tracks(id); });
  if (note_bytes_ <= options.tracked_bytes_max / 4 * 3) return;
  Forget([](std::uint64_t) { return true; });
  InvalidateAllLater(std::nullopt);
}

// Later: behind the reply to what is being read now, whose note is forgotten too.
void Announcer::InvalidateAllLater(std::optional<std::uint64_t> client) {
  service_.Poster()([this, client] {
    const std::set<std::uint64_t> asked = client ? std::set{*client} : listeners_;
    for (const std::uint64_t id : asked) {
      if (!Tracks(id)) continue;
      Invalidate(*service_.Find(id), nullptr, Seq{0});
      service_.Find(id)->SendPushed();
    }
  });
}

// --- Telling -------------------------------------------------------------------------------------

// `key` null: everything.
void Announcer::Invalidate(Connection& client, const std::string* key, Seq own) {
  client.Push(own, [&](Reply& reply) {
    reply.Push(2);
    reply.Bulk("invalidate");
    if (key == nullptr) return reply.Null();
    reply.Array(1);
    reply.Bulk(*key);
  });
  told_.insert(client.id());
}

bool Announcer::Announce() {
  rung_ = false;  // what is committed from here on rings again
  if (listeners_.empty()) return false;
  std::size_t changes = 0, bytes = 0;
  const std::int64_t until_ns = MonoNs() + kPieceNs;
  const auto end = follower_.Read(*journal_, kTxnsPerPiece, [&](const AppliedChange& applied) {
    Tell(applied);
    if (applied.last_of_txn) bytes += applied.entry.bytes.size();
    return ++changes < kChangesPerPiece && bytes < kBytesPerPiece && MonoNs() < until_ns;
  });
  // Trimmed, or it cannot be read: what was missed is not known.
  if (end == ChangeFollower::End::kTrimmed || end == ChangeFollower::End::kFailed) {
    follower_.MoveTo({Lsn{Raw(service_.engine().storage().lsn_last) + 1}, 0});
    TellAll();
  }
  const std::set<std::uint64_t> told = std::exchange(told_, {});
  for (const std::uint64_t id : told) {
    if (Connection* client = service_.Find(id)) client->SendPushed();
  }
  // If it was rung meanwhile, that goes on: one at a time.
  return end == ChangeFollower::End::kMore && !rung_.exchange(true);
}

void Announcer::TellAll() {
  Forget([](std::uint64_t) { return true; });
  for (const std::uint64_t id : listeners_) {
    Connection* client = service_.Find(id);
    if (client == nullptr || client->closed()) continue;
    if (client->state.tracking.on) Invalidate(*client, nullptr, Seq{0});
    PublishOn(*client, kGap, "read what you keep again");
    told_.insert(id);
  }
}

void Announcer::Tell(const AppliedChange& applied) {
  key_.clear();
  AppendRedisKey(applied.change.table, applied.change.key, key_);
  const Seq own = applied.entry.origin == self_ ? applied.entry.seq : Seq{0};
  TellNoted(own);
  if (loud_.empty()) return;
  channel_.assign(kChanges).append(applied.change.table);
  for (const std::uint64_t id : loud_) {
    Connection* client = service_.Find(id);
    if (client == nullptr || client->closed()) continue;
    const TrackingState& tracking = client->state.tracking;
    if (tracking.on && tracking.broadcast) {
      if (HasPrefix(tracking.prefixes, key_)) Invalidate(*client, &key_, own);
      if (CallsByTable(tracking.prefixes, applied.change, key_, name_)) {
        Invalidate(*client, &name_, own);
      }
    }
    if (client->state.subscriptions() == 0) continue;
    PublishOn(*client, channel_, key_);
    told_.insert(id);
  }
}

void Announcer::TellNoted(Seq own) {
  const auto at = noted_.find(key_);
  if (at == noted_.end()) return;
  std::erase_if(at->second, [&](const Noted& noted) {
    if (Tracks(noted.connection)) {
      Connection& client = *service_.Find(noted.connection);
      Invalidate(client, noted.name.empty() ? &key_ : &noted.name, own);
      // A read of it may be in the engine or on its way to the key's home: then the note stands for
      // the next change too. And who does not hear of what it wrote itself keeps what it has.
      if (!client.Answered() || client.Wrote(own)) return false;
    }
    Unnote(key_, noted);
    return true;
  });
  if (at->second.empty()) noted_.erase(at);
}

}  // namespace hawser::redis
