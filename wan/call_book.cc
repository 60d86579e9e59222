#include "wan/call_book.h"

#include "conflict/assert.h"
#include "wan/wire.h"

namespace hawser {

const char* Text(CallFailure failure) {
  switch (failure) {
    case CallFailure::kStranger:
      return "no such region";
    case CallFailure::kLimit:
      return "as many calls as that region answers are under way";
    case CallFailure::kBusy:
      return "that region is busy";
    case CallFailure::kLate:
      return "that region was asked too late";
    case CallFailure::kUnknown:
      return "that region's software does not know this call";
    case CallFailure::kNoAnswer:
      return "no answer in time";
    case CallFailure::kStopping:
      return "this region is stopping";
  }
  return "?";
}

CallBook::CallBook(CallBookOptions options)
    : options_(std::move(options)),
      pieces_(options_.answer_bytes_max),
      next_id_(options_.first_id) {
  for (const RegionId region : options_.peers) {
    peers_.emplace(region, Peer{.limit = CallLimit(options_.limit), .counts = {.region = region}});
  }
}

std::expected<std::uint64_t, CallFailure> CallBook::Begin(RegionId to, std::string verb,
                                                          std::string body, std::int64_t budget_ms,
                                                          std::int64_t mono_ms,
                                                          std::int64_t clock_ms,
                                                          std::vector<Send>& out) {
  HW_ASSERT(body.size() <= kCallBytesMax && budget_ms > 0);
  const auto peer = peers_.find(to);
  if (peer == peers_.end()) return std::unexpected(CallFailure::kStranger);
  if (!peer->second.limit.Admits()) {
    ++peer->second.counts.limited;
    return std::unexpected(CallFailure::kLimit);
  }
  peer->second.limit.Begun();
  const std::uint64_t id = next_id_++;
  const UnderWay& call = calls_
                             .emplace(id, UnderWay{.to = to,
                                                   .verb = std::move(verb),
                                                   .body = std::move(body),
                                                   .began_ms = mono_ms,
                                                   .deadline_ms = mono_ms + budget_ms})
                             .first->second;
  by_deadline_.emplace(std::pair(call.deadline_ms, id), id);
  SendOff(id, call, mono_ms, clock_ms, out);
  return id;
}

void CallBook::SendOff(std::uint64_t id, const UnderWay& call, std::int64_t mono_ms,
                       std::int64_t clock_ms, std::vector<Send>& out) const {
  const CallRequest request{.from = options_.self,
                            .id = id,
                            .sent_ms = clock_ms,
                            .budget_ms = static_cast<std::uint32_t>(call.deadline_ms - mono_ms),
                            .verb = call.verb,
                            .body = call.body};
  for (CallRequest& piece : CutIntoPieces(request, kFragmentBytesMax)) {
    out.push_back({.to = {.kind = Address::Kind::kTo, .region = call.to},
                   .bytes = Encode(Message(std::move(piece)))});
  }
}

void CallBook::OnAnswer(CallAnswer answer, std::int64_t mono_ms, std::int64_t clock_ms,
                        std::vector<Send>& out, std::vector<CallEnded>& ended) {
  const auto at = calls_.find(answer.id);
  // Too late, a repeat, or not of the region that was asked.
  if (at == calls_.end() || at->second.to != answer.from) return;
  auto whole = pieces_.Add(std::move(answer), mono_ms);
  if (!whole) return;
  UnderWay& call = at->second;
  Peer& peer = peers_.at(call.to);
  CallEnded end{.id = at->first, .answer = std::string()};
  switch (whole->status) {
    case CallStatus::kDone:
      peer.limit.Answered(call.began_ms, mono_ms);
      ++peer.counts.answered;
      end.answer = std::move(whole->body);
      break;
    case CallStatus::kUnknown:
      peer.limit.Answered(call.began_ms, mono_ms);
      ++peer.counts.refused;
      end.answer = std::unexpected(CallFailure::kUnknown);
      break;
    case CallStatus::kBusy:
    case CallStatus::kLate: {
      const bool busy = whole->status == CallStatus::kBusy;
      peer.limit.Refused(call.began_ms, mono_ms);
      // The id stays: pieces of the first try that are still on their way belong to the same body.
      if (busy && mono_ms < call.deadline_ms && peer.limit.Admits() && peer.limit.TakeRetry()) {
        peer.limit.Begun();
        ++peer.counts.retried;
        SendOff(at->first, call, mono_ms, clock_ms, out);
        return;
      }
      ++peer.counts.refused;
      end.answer = std::unexpected(busy ? CallFailure::kBusy : CallFailure::kLate);
      break;
    }
  }
  by_deadline_.erase({call.deadline_ms, at->first});
  calls_.erase(at);
  ended.push_back(std::move(end));
}

void CallBook::Advance(std::int64_t mono_ms, std::vector<CallEnded>& ended) {
  while (!by_deadline_.empty() && by_deadline_.begin()->first.first <= mono_ms) {
    const auto at = calls_.find(by_deadline_.begin()->second);
    Peer& peer = peers_.at(at->second.to);
    peer.limit.Silent(at->second.began_ms, mono_ms);
    ++peer.counts.silent;
    ended.push_back({.id = at->first, .answer = std::unexpected(CallFailure::kNoAnswer)});
    calls_.erase(at);
    by_deadline_.erase(by_deadline_.begin());
  }
  pieces_.Forget(mono_ms);
}

std::vector<CallCounts> CallBook::counts() const {
  std::vector<CallCounts> all;
  for (const auto& [region, peer] : peers_) {
    CallCounts& counts = all.emplace_back(peer.counts);
    counts.limit = peer.limit.limit();
    counts.under_way = peer.limit.under_way();
  }
  return all;
}

}  // namespace hawser
