#include "wan/conflict_counts.h"

#include "storage/conflict_log.h"

namespace hawser {

void ConflictCounts::Add(const Discarded& discarded) {
  auto table = counts_.find(discarded.table);
  if (table == counts_.end()) {
    const std::string name(counts_.size() < kTablesMax ? discarded.table : "other");
    table = counts_.try_emplace(name).first;
  }
  ++table->second[Text(KindOf(discarded))];
  shared_.reset();
}

std::shared_ptr<const std::vector<ConflictCount>> ConflictCounts::Share() const {
  if (shared_ || counts_.empty()) return shared_;
  auto out = std::make_shared<std::vector<ConflictCount>>();
  for (const auto& [table, kinds] : counts_) {
    for (const auto& [kind, count] : kinds) out->push_back({table, std::string(kind), count});
  }
  shared_ = std::move(out);
  return shared_;
}

}  // namespace hawser
