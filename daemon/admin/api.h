#pragma once

// Api: the handlers behind the routes. Server's thread only; what comes from the engine's thread is
// posted back to it.

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/admin/routes.h"
#include "daemon/admin/write_apply.h"
#include "daemon/homes/home_mover.h"
#include "homing/home.h"
#include "wan/claim_job.h"

namespace hawser::admin {

class Api {
 public:
  // `post` runs work on the server's thread, from any thread; what is posted after the server has
  // stopped is dropped. Whatever the engine holds has a copy of it: an answer may come after this
  // object has gone.
  using Post = std::function<void(std::function<void()>)>;
  Api(const AdminOptions& options, Engine& engine, Post post);

  // The route table; the handlers refer to this object.
  std::vector<Route> Routes();
  void SetOpenApi(std::string json) { openapi_ = std::move(json); }

 private:
  // How long a write may wait for other regions, and for how many.
  struct AckWish {
    bool wanted = false;
    int regions = 0;  // -1: all
    int asked = 0;    // as a number
    int wait_seconds = 0;
  };

  // health.cc
  void Live(Call call);
  void Ready(Call call);
  void Version(Call call);
  void Metrics(Call call);
  void OpenApiDocument(Call call);
  // regions.cc
  void Regions(Call call);
  void Lag(Call call);
  void CutNow(Call call);
  // records.cc
  void GetRecord(Call call);
  void ListRecords(Call call);
  void AnswerRecord(const Call& call);
  void AnswerList(const Call& call);
  // record_find.cc
  void FindRecords(const Call& call);
  // conflicts.cc
  void ListConflicts(Call call);
  void GetConflict(Call call);
  // change_stream.cc
  void StreamChanges(Call call);
  // conflict_stream.cc
  void StreamConflicts(Call call);
  // True, and the lease is filled, unless there are streams_max streams; else answered with 503.
  using StreamLease = std::shared_ptr<void>;
  bool LeaseStream(const Call& call, StreamLease& lease);
  // resolutions.cc
  struct ResolvingMany;
  void ResolveConflict(Call call);
  void ResolveConflicts(Call call);
  void ResolveNext(std::shared_ptr<ResolvingMany> many);
  void AnswerResolved(const ResolvingMany& many) const;
  // explain.cc
  void Explain(Call call);
  // homes.cc
  void ListHomes(Call call);  // homes_list.cc
  void GetHome(Call call);
  void PutHome(Call call);
  void AnswerMoved(const Call& call, const HomeMoved& moved) const;
  bool ForwardedHome(Call& call, const WritePlan& plan, const WriteKey* key, const AckWish& wish);
  bool AnsweredBefore(Call& call, const WritePlan& plan, const WriteKey& key, const AckWish& wish,
                      View& view);
  void ForwardWrite(Call call, const Belonging& belonging);
  struct ServedBy {
    std::string home;
    std::uint64_t epoch = 0;
    bool wants_acks = false;  // of other regions: not waited for
  };
  void AnswerForwarded(const std::shared_ptr<Call>& call, const ServedBy& served,
                       const std::expected<std::string, CallFailure>& answer);
  // audit.cc
  void ListAudit(Call call);
  // unique.cc
  void PutUnique(Call call);
  void GetUnique(Call call);
  void DeleteUnique(Call call);
  void Order(Call call, ClaimOrder order);
  void AwaitClaim(const Call& call, const ClaimOrder& order, ClaimAnswer answer, int wait_seconds);
  void AnswerClaim(const Call& call, const ClaimOrder& order, const ClaimAnswer& answer) const;
  // writes.cc
  void PutRecord(Call call);
  void PatchRecord(Call call);
  void DeleteRecord(Call call);
  void PostTxn(Call call);
  void WriteRecord(Call call, std::expected<PlannedChange, Problem> change);
  void Write(Call call, WritePlan plan);
  void Submit(Call call, WritePlan plan, std::optional<KeepAnswer> keep, AckWish wish);
  void AwaitAcks(Call call, WritePlan plan, WriteResult written, AckWish wish);
  void AnswerWrite(const Call& call, const WritePlan& plan, const WriteResult& written,
                   const AckWish& wish, int reached) const;
  std::expected<AckWish, Problem> PlanAcks(const HttpRequest& request) const;

  // Goes on once this region has applied the cut of the request's Hawser-Token, at once if it has
  // or if there is none; else answers with a problem. tokens.cc
  void AfterToken(Call call, std::chrono::seconds wait, std::function<void(Call)> next);

  std::string RegionName(RegionId id) const;
  std::string NowText() const;

  const AdminOptions& options_;
  Engine& engine_;
  Post post_;
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<JournalReader> journal_;  // for streams
  std::shared_ptr<RequestBook> keys_;       // what is kept for idempotency keys
  std::string openapi_;
  std::shared_ptr<std::size_t> streams_ = std::make_shared<std::size_t>(0);
  std::uint64_t seen_ticks_ = 0;
  std::chrono::steady_clock::time_point seen_ticks_at_;  // first seen; no earlier than asked for
};

// `Prefer: wait=S`, at most kWaitSecondsMax; nullopt: not asked for.
std::optional<int> PreferWaitSeconds(const HttpRequest& request);
inline constexpr int kWaitSecondsMax = 60;
// The engine's deadlines are counted on the steady clock, in milliseconds.
std::int64_t DeadlineMonoMs(std::chrono::seconds wait);

}  // namespace hawser::admin
