#include "daemon/declare_job.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "conflict/txn.h"
#include "daemon/log.h"

namespace hawser {
namespace {

constexpr std::chrono::seconds kPatience{30};

class DeclareJob final : public Job {
 public:
  DeclareJob(Schema schema, std::promise<Declared> promise)
      : schema_(std::move(schema)), promise_(std::move(promise)) {}

  void Run(Session& session) override {
    const auto txn = session.Begin();
    txn->type = TxnType::kDeclaration;
    Declaring declaring = Declare(schema_, *txn);
    declared_.contradictions = std::move(declaring.contradictions);
    declared_.older = std::move(declaring.older);
    if (!declared_.contradictions.empty()) return;
    if (const auto dot = session.Commit(*txn); !dot) declared_.refused = dot.error();
  }
  void Done(Outcome outcome) override {
    if (outcome == Outcome::kUnknown) declared_.refused = Refusal::kStopping;
    promise_.set_value(std::move(declared_));
  }

 private:
  const Schema schema_;
  std::promise<Declared> promise_;
  Declared declared_;
};

// Where the configuration says it; the table's name if that is all there is.
std::string WhereSaid(const Contradiction& what, const Config& config) {
  const auto table = std::ranges::find(config.tables, what.table, &TableConfig::name);
  if (table == config.tables.end()) return {};
  const Whereabouts* where = &table->where;
  const auto field = std::ranges::find(table->fields, what.field, &FieldConfig::name);
  if (what.of_field && field != table->fields.end()) where = &field->where;
  const auto at = where->find(what.key);
  if (at != where->end()) return at->second;
  const auto name = table->where.find("name");
  return name == table->where.end() ? std::string() : name->second;
}

}  // namespace

Declared DeclareSchema(Engine& engine, const Schema& schema) {
  std::promise<Declared> promise;
  std::future<Declared> future = promise.get_future();
  engine.Submit(std::make_unique<DeclareJob>(schema, std::move(promise)));
  if (future.wait_for(kPatience) != std::future_status::ready) {
    return {.contradictions = {}, .older = {}, .refused = Refusal::kStopping};
  }
  return future.get();
}

void LogContradictions(const std::vector<Contradiction>& contradictions, const Config& config,
                       LogLevel level, std::string_view code, std::string_view text) {
  for (const Contradiction& what : contradictions) {
    const std::string key =
        (what.of_field ? "tables.fields." + what.field + "." : std::string("tables.")) + what.key;
    Log(level, "config", code, text,
        {{"where", WhereSaid(what, config)},
         {"table", what.table},
         {"key", key},
         {"reason", what.text}});
  }
}

}  // namespace hawser
