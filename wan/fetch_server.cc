#include "wan/fetch_server.h"

#include <algorithm>

#include "conflict/txn.h"
#include "conflict/variant.h"
#include "wan/batcher.h"
#include "wan/wire.h"

namespace hawser {

FetchServer::FetchServer(FetchServerOptions options, std::unique_ptr<JournalReader> journal)
    : options_(options), journal_(std::move(journal)) {}

void FetchServer::OnFetch(const Fetch& fetch, bool near) {
  std::erase_if(requests_, [&](const Request& waiting) {
    return waiting.fetch.from == fetch.from && waiting.fetch.origin == fetch.origin;
  });
  if (requests_.size() >= options_.requests_max || fetch.first == Seq{0}) return;
  requests_.push_back({.fetch = fetch,
                       .near = near,
                       .next = fetch.first,
                       .bytes_left = std::min(fetch.bytes_max, options_.bytes_max_per_request)});
}

bool FetchServer::HasBudget(RegionId region, std::int64_t mono_ms) {
  if (options_.bytes_per_second == 0) return true;
  const auto rate = static_cast<double>(options_.bytes_per_second);
  const auto [at, fresh] =
      budgets_.try_emplace(region, Budget{.bytes = rate / 10, .at_ms = mono_ms});
  Budget& budget = at->second;
  budget.bytes =
      std::min(rate / 10, budget.bytes + rate * static_cast<double>(mono_ms - budget.at_ms) / 1000);
  budget.at_ms = mono_ms;
  return budget.bytes > 0;
}

std::vector<Send> FetchServer::Serve(std::uint64_t bytes_aim, std::int64_t mono_ms,
                                     const std::function<bool(RegionId)>& has_room) {
  std::vector<Send> out;
  for (std::size_t turns = requests_.size(); turns > 0 && out.empty(); --turns) {
    Request request = std::move(requests_.front());
    requests_.pop_front();
    const RegionId region = request.fetch.from;
    const bool must_wait = (has_room && !has_room(region)) || !HasBudget(region, mono_ms);
    const bool more = must_wait || ServeSome(request, bytes_aim, out);
    if (more) requests_.push_back(std::move(request));
    if (options_.bytes_per_second > 0) {
      for (const Send& send : out) budgets_[region].bytes -= static_cast<double>(send.bytes.size());
    }
  }
  return out;
}

// False when the request is answered to its end.
bool FetchServer::ServeSome(Request& request, std::uint64_t bytes_aim, std::vector<Send>& out) {
  const Fetch& fetch = request.fetch;
  Batcher batcher(fetch.origin);
  std::vector<Batch> batches;
  std::uint64_t taken = 0;
  bool cut_short = false;
  const auto take = [&](const JournalEntry& entry) {
    if (taken >= bytes_aim || taken >= request.bytes_left) {
      cut_short = true;
      return false;
    }
    batcher.Add(entry.seq, entry.hash_before, entry.hash, entry.bytes, batches);
    taken += entry.bytes.size();
    request.next = hawser::Next(entry.seq);
    ++relayed_txns_;
    return true;
  };
  auto read = journal_->ReadLog(fetch.origin, request.next, take);
  if (HW_VARIANT(kRelayServesWhatItLacks) && !read) {  // "whatever there is will do"
    for (Seq seq{1}; !read && Raw(seq) < 2000; seq = hawser::Next(seq)) {
      read = journal_->ReadLog(fetch.origin, seq, [&](const JournalEntry& entry) {
        JournalEntry other = entry;
        other.seq = request.next;
        return take(other);
      });
    }
  }
  batcher.Flush(batches);
  request.bytes_left -= std::min(request.bytes_left, taken);
  const bool missing = !read;
  const bool end = missing || !cut_short || request.bytes_left == 0;
  if (batches.empty() && end) {
    batches.push_back(Batch{.origin = fetch.origin, .first = request.next});
  }
  for (std::size_t i = 0; i < batches.size(); ++i) {
    batches[i].fetch_id = fetch.id;
    const bool last = end && i + 1 == batches.size();
    batches[i].fetch_end = last;
    batches[i].fetch_missing = last && missing;
    out.push_back({.to = {.kind = Address::Kind::kIn, .region = fetch.from},
                   .bytes = Encode(Message(std::move(batches[i])),
                                   {.compress = options_.compress && !request.near})});
  }
  return !end;
}

}  // namespace hawser
