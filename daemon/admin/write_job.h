#pragma once

// WriteJob: one plan on its way through the engine.

#include <expected>
#include <functional>
#include <optional>

#include "daemon/admin/write_apply.h"
#include "daemon/engine.h"

namespace hawser::admin {

class WriteJob : public Job {
 public:
  // Engine thread. A write whose commit failed, or that never ran, is a problem that says which.
  using Finish = std::function<void(WritePlan plan, std::expected<WriteResult, Problem> result)>;
  // `keep`: the key it comes under, if any.
  WriteJob(WritePlan plan, std::optional<KeepAnswer> keep, Finish finish);

  void Run(Session& session) override;
  void Done(Outcome outcome) override;

 private:
  WritePlan plan_;
  std::optional<KeepAnswer> keep_;
  Finish finish_;
  std::optional<std::expected<WriteResult, Problem>> result_;  // since Run
};

}  // namespace hawser::admin
