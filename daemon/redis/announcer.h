#pragma once

// Announcer: tells Redis clients what is applied here, by whomever: invalidations to those who
// track keys (CLIENT TRACKING), messages to those who subscribed to hawser.changes.TABLE. Follows
// the journal while anyone listens, and nothing otherwise.
// Order:   a key is noted before it is read, a change is announced after it can be read, and an
//          announcement leaves behind the replies to what was in the engine then, or on its way to
//          another region. So whoever keeps what was read hears of the next change, after the
//          reply. One may hear of a change that the reply shows already.
// Bounds:  so many notes in all and of one client (options.h); past it everything is invalidated,
//          for all or for that client, and noting begins anew. A client that does not read is
//          closed at the bound on output, as ever.
// Threads: the I/O thread, except Rung.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "daemon/engine.h"
#include "daemon/feeds/change_follower.h"

namespace hawser::redis {

class Connection;
class Service;

class Announcer {
 public:
  explicit Announcer(Service& service) : service_(service) {}

  // What the client wants to hear of has changed, or it was closed.
  void Follow(const Connection& client);
  // The client is about to read a key that it wants to hear of.
  void Note(Connection& client, std::string_view redis_key);
  // After a commit: true if Announce is to be run on the I/O thread, once. Any thread.
  bool Rung() { return wanted_.load() && !rung_.exchange(true); }
  // Tells what was applied since; a bounded piece. True: there is more, to be run once more.
  bool Announce();

 private:
  struct Noted {
    std::uint64_t connection = 0;
    std::string name;  // as the client called the key; empty: as we do
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  static std::size_t BytesOf(std::string_view key, const Noted& noted);

  void Begin();
  void Tell(const AppliedChange& applied);
  void TellNoted(Seq own);
  void TellAll();  // that they have missed something
  void Invalidate(Connection& client, const std::string* key, Seq own);
  void Publish(Connection& client);
  // Forgets the notes that `goes` says yes to.
  void Forget(const std::function<bool(std::uint64_t connection)>& goes);
  void Unnote(std::string_view key, const Noted& noted);
  bool Tracks(std::uint64_t connection) const;
  void KeepToLimits(std::uint64_t client);
  void InvalidateAllLater(std::optional<std::uint64_t> client);  // nullopt: of all clients

  Service& service_;
  std::unique_ptr<JournalReader> journal_;
  ChangeFollower follower_{{}};
  Origin self_;
  std::set<std::uint64_t> listeners_;
  std::set<std::uint64_t> loud_;  // of them: who hears of keys without having read them
  // By the key's own name: who has read it.
  std::unordered_map<std::string, std::vector<Noted>, Hash, std::equal_to<>> noted_;
  std::unordered_map<std::uint64_t, std::size_t> notes_of_;  // by client
  std::size_t note_bytes_ = 0;
  std::set<std::uint64_t> told_;      // in this piece
  std::string key_, name_, channel_;  // of the change at hand
  std::atomic<bool> wanted_{false}, rung_{false};
};

}  // namespace hawser::redis
