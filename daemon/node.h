#pragma once

// Node: the parts of one region put together, in the order they need each other:
//   store -> link -> engine -> Redis protocol -> REST
// and taken apart the other way round: clients first, then what was taken is committed and
// answered, then sent, then the store is closed. Threads: one owner; the questions may be asked
// from any thread.

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/config/config.h"
#include "daemon/config_state.h"
#include "daemon/declare_job.h"
#include "daemon/engine/engine_loop.h"
#include "daemon/token_book.h"

namespace hawser {

// Why a node does not come up.
struct StartFailure {
  int exit_code = 0;      // of exit_codes.h
  std::string_view code;  // of log_codes.h
  std::string reason;     // what happened and what to do
};

class Node {
 public:
  // Called once, on the engine's thread, if the engine ends by itself: the process must end.
  using OnEnd = std::function<void(EngineEnd end, const std::string& why)>;

  // Recovers the store, which may take long, declares what the configuration says and opens the
  // doors. `state` is shown in metrics.
  static std::expected<std::unique_ptr<Node>, StartFailure> Start(const Config& config,
                                                                  std::string_view version,
                                                                  OnEnd on_end,
                                                                  const ConfigState& state);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  const Engine& engine() const;
  // See DeclareSchema.
  Declared Declare(const Schema& schema);

 private:
  struct Parts;
  explicit Node(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace hawser
