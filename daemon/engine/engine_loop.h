#pragma once

// StartEngine: the engine's thread around a replica and its store. See daemon/engine.h for what it
// promises; this header is for whoever wires a daemon together.

#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "daemon/engine.h"
#include "wan/fetch_server.h"
#include "wan/replica.h"

namespace hawser {

enum class EngineEnd {
  kRolledBack,  // the store is an older copy: nothing was changed, the process exits 74
  kStorage,     // a commit failed: the process exits 74, reopens and verifies at its next start
};

struct EngineOptions {
  ReplicaOptions replica;
  FetchServerOptions fetch_server;
  Schema schema;
  // Received and not yet looked at. Over it messages are dropped and fetched again.
  std::uint64_t inbox_bytes_max = 16 * 1024 * 1024;
  std::function<void(Send)> publish;                    // engine and fetch thread
  std::function<std::uint64_t(RegionId)> queued_bytes;  // what the link has not sent yet
  // Rights to scarce fields that should be asked of other regions. Engine thread; null: of nobody.
  std::function<void(RightsWish wish)> wish_rights;
  // Called once, on the engine thread, when the engine ends by itself; the process must end.
  std::function<void(EngineEnd end, const std::string& why)> on_end;
  // Remarks for the log: stable code and text. Engine thread.
  std::function<void(const char* code, const std::string& text)> remark;
};

// Takes the store over. The engine runs until destroyed: then everything submitted so far is
// committed and answered, and the thread joined.
std::unique_ptr<Engine> StartEngine(EngineOptions options, std::unique_ptr<Store> store);

}  // namespace hawser
