#include "wan/claim_job.h"

namespace hawser {

std::string ClaimOrder::Problem(const Schema& schema) const {
  if (!IsTableName(name)) return "a unique name is 1 to 64 of A-Z a-z 0-9 _ . -";
  if (!schema.unique.contains(name)) {
    return "the unique name \"" + name + "\" is not declared: add [[unique]] name = \"" + name +
           "\" to the configuration";
  }
  if (!IsClaimName(name, value)) return "a unique value has at least 1 byte and with its name 472";
  if (verb != Verb::kLook && !IsOwner(owner)) return "an owner has 1 to 512 bytes";
  if (request_id.size() > kRequestIdBytesMax) return "a request id has 1 to 128 bytes";
  return {};
}

ClaimOutcome CarryOut(const ClaimOrder& order, LocalTxn& txn) {
  switch (order.verb) {
    case ClaimOrder::Verb::kClaim:
      return MakeClaim(txn, order.name, order.value, order.owner, order.request_id);
    case ClaimOrder::Verb::kRelease:
      return MakeRelease(txn, order.name, order.value, order.owner);
    case ClaimOrder::Verb::kLook:
      break;
  }
  return {ClaimEffect::kSame, {}};
}

void ClaimJob::Run(Session& session) {
  ran_ = true;
  answer_.problem = order_.Problem(session.schema());
  if (!answer_.problem.empty()) return;
  if (order_.verb != ClaimOrder::Verb::kLook) {
    const auto txn = session.Begin();
    answer_.outcome = CarryOut(order_, *txn);
    if (answer_.outcome.effect <= ClaimEffect::kSame) {
      const auto dot = session.Commit(*txn);
      if (dot) {
        answer_.dot = *dot;
      } else {
        answer_.refused = dot.error();
      }
    }
  }
  answer_.cut = session.applied();
  answer_.shown = ClaimOf(session.Get(ClaimRowKey(order_.name, order_.value)), session.proof());
}

void ClaimJob::Done(Outcome outcome) {
  if (!ran_) {
    answer_.refused = Refusal::kStopping;
  } else if (outcome == Outcome::kUnknown) {
    answer_.unknown = true;
  }
  finish_(order_, std::move(answer_));
}

std::vector<RegionId> SilentRegions(const ReplicaStatus& status, const Dot& dot) {
  std::vector<RegionId> silent;
  for (const PeerStatus& peer : status.peers) {
    if (!peer.compared || !peer.counted.Covers(dot)) silent.push_back(peer.region);
  }
  return silent;
}

}  // namespace hawser
