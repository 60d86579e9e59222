#include "daemon/declare_job.h"

#include <future>
#include <memory>
#include <utility>

#include "conflict/txn.h"
#include "storage/declare.h"

namespace hawser {
namespace {

class DeclareJob final : public Job {
 public:
  DeclareJob(const Schema& schema, std::promise<Declared> promise)
      : schema_(schema), promise_(std::move(promise)) {}

  void Run(Session& session) override {
    const auto txn = session.Begin();
    txn->type = TxnType::kDeclaration;
    declared_.contradictions = Declare(schema_, *txn);
    if (!declared_.contradictions.empty()) return;
    if (const auto dot = session.Commit(*txn); !dot) declared_.refused = dot.error();
  }
  void Done(Outcome outcome) override {
    if (outcome == Outcome::kUnknown) declared_.refused = Refusal::kStopping;
    promise_.set_value(std::move(declared_));
  }

 private:
  const Schema& schema_;
  std::promise<Declared> promise_;
  Declared declared_;
};

}  // namespace

Declared DeclareSchema(Engine& engine, const Schema& schema) {
  std::promise<Declared> promise;
  std::future<Declared> future = promise.get_future();
  engine.Submit(std::make_unique<DeclareJob>(schema, std::move(promise)));
  return future.get();
}

}  // namespace hawser
