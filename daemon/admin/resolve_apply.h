#pragma once

// Carries a resolution out, on the records the engine holds: an override of the field and the
// resolution's own record, in one txn. Engine thread, inside Job::Run.

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/admin/resolve_plan.h"
#include "daemon/engine.h"

namespace hawser::admin {

struct Resolved {
  std::string table, key;
  std::optional<std::string> field;          // nullopt: the expiry
  std::optional<std::string> before, after;  // as shown; an expiry as a time
  std::string version;                       // of the record now; empty: it shows nothing
  Dot dot;
  Cut cut;  // what a reader must have applied to see it
};
// Refused unless the field is still as the conflict (or an earlier resolution of it) left it, or
// the record has the version that the wish names.
std::expected<Resolved, Problem> Resolve(const std::string& id, const Wish& wish, Session& session);

using ResolveOutcome = std::pair<std::string, std::expected<Resolved, Problem>>;  // id first

// Some conflicts, each in a txn of its own: one that is refused does not keep the others.
class ResolveJob : public Job {
 public:
  using Finish = std::function<void(std::vector<ResolveOutcome>)>;  // engine thread
  ResolveJob(std::vector<std::string> ids, Wish wish, Finish finish)
      : ids_(std::move(ids)), wish_(std::move(wish)), finish_(std::move(finish)) {}
  void Run(Session& session) override;
  void Done(Outcome outcome) override;

 private:
  std::vector<std::string> ids_;
  Wish wish_;
  Finish finish_;
  std::vector<ResolveOutcome> outcomes_;
};

}  // namespace hawser::admin
