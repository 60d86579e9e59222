#include "tests/sim/truth.h"

#include "tests/sim/check.h"

namespace hawser::sim {

void Truth::Add(std::unique_ptr<TruthTxn> txn) {
  auto& log = logs_[txn->dot.origin];
  HW_CHECK(Raw(txn->dot.seq) == log.size() + 1, "prefix",
           "txn " + Text(txn->dot) + " is made, the log has " + std::to_string(log.size()));
  std::string row_key;
  for (const Change& change : txn->txn.changes) {
    row_key.clear();
    AppendRowKey(change.table, change.key, row_key);
    rows_[row_key].push_back({.by = txn.get(), .change = &change});
  }
  log.push_back(std::move(txn));
  if (watch_) watch_(*log.back());
}

const TruthTxn* Truth::Find(const Dot& dot) const {
  const auto at = logs_.find(dot.origin);
  if (at == logs_.end() || dot.seq == Seq{0} || Raw(dot.seq) > at->second.size()) return nullptr;
  return at->second[Raw(dot.seq) - 1].get();
}

Seq Truth::LastOf(const Origin& origin) const {
  const auto at = logs_.find(origin);
  return Seq{at == logs_.end() ? 0 : at->second.size()};
}

const std::vector<Written>& Truth::WrittenTo(std::string_view row_key) const {
  static const std::vector<Written> kNone;
  const auto at = rows_.find(row_key);
  return at == rows_.end() ? kNone : at->second;
}

Cut Truth::EverywhereDurable() const {
  Cut cut;
  bool first = true;
  for (const auto& [region, durable] : durable_) {
    if (first) {
      cut = durable;
    } else {
      cut.Meet(durable);
    }
    first = false;
  }
  return cut;
}

bool Truth::IsEverywhere(const Dot& dot) const {
  for (const auto& [region, durable] : durable_) {
    if (!durable.Covers(dot)) return false;
  }
  return true;
}

std::string Text(const Dot& dot) {
  return std::to_string(Raw(dot.origin.region)) + "#" + std::to_string(Raw(dot.seq));
}

std::string Text(const Cut& cut) {
  std::string text = "{";
  for (const Dot& dot : cut.dots()) text += (text.size() > 1 ? " " : "") + Text(dot);
  return text + "}";
}

}  // namespace hawser::sim
