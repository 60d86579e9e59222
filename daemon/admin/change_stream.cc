// What is applied, as a stream of events.

#include <algorithm>
#include <utility>

#include "conflict/schema.h"
#include "daemon/admin/api.h"
#include "daemon/admin/change_json.h"
#include "daemon/admin/change_stream.h"
#include "daemon/admin/event_text.h"

namespace hawser::admin {
namespace {

constexpr char kFeed = 'j';
constexpr std::size_t kPieceBytes = 16 * 1024;  // a piece ends past it
constexpr std::uint32_t kPieceTxns = 256;       // looked at for one piece

class ChangeStream : public StreamBody {
 public:
  // `journal` and `engine` outlive the stream.
  ChangeStream(JournalReader& journal, const Engine& engine, RegionNames names, std::string table,
               Incarnation store, ChangePlace from, std::shared_ptr<void> lease)
      : journal_(journal),
        engine_(engine),
        names_(std::move(names)),
        table_(std::move(table)),
        store_(store),
        follower_(from),
        lease_(std::move(lease)) {}

  More Next(std::string& out, bool quiet) override {
    using End = ChangeFollower::End;
    const End end = follower_.Read(journal_, kPieceTxns, [&](const AppliedChange& applied) {
      if (!table_.empty() && applied.change.table != table_) return true;
      JsonWriter json;
      WriteChange(applied, names_, json);
      AppendEvent("change", Id(), json.Take(), out);
      return out.size() < kPieceBytes;
    });
    const bool begins = !std::exchange(begun_, true);
    switch (end) {
      case End::kTrimmed:
        return Gap(out);
      case End::kFailed:
        out += ": the journal cannot be read\n\n";
        return More::kEnd;
      case End::kAll:
      case End::kMore:
        break;
    }
    if (begins && out.empty()) AppendPosition("from here", Id(), out);
    if (quiet && out.empty()) AppendPosition("nothing new", Id(), out);
    return end == End::kMore ? More::kNow : More::kLater;
  }

 private:
  std::string Id() const { return ChangePositionText(store_, follower_.place()); }

  // The reader was too slow for what the journal keeps.
  More Gap(std::string& out) {
    const StoreUsage usage = engine_.storage();  // a moment old
    const Lsn first = std::max(usage.lsn_first, Lsn{Raw(follower_.place().lsn) + 1});
    follower_.MoveTo({std::min(first, Lsn{Raw(usage.lsn_last) + 1}), 0});
    AppendEvent("gap", Id(),
                R"({"detail":"the journal no longer has what came next: read the table again"})",
                out);
    return More::kLater;
  }

  JournalReader& journal_;
  const Engine& engine_;
  const RegionNames names_;
  const std::string table_;  // empty: all
  const Incarnation store_;
  ChangeFollower follower_;
  const std::shared_ptr<void> lease_;
  bool begun_ = false;
};

}  // namespace

std::string ChangePositionText(Incarnation store, const ChangePlace& place) {
  std::string bytes;
  PutChangePlace(place, bytes);
  return FeedPositionText(kFeed, {store, std::move(bytes)});
}

void Api::StreamChanges(Call call) {
  std::string table;
  if (const std::string* asked = call.target.Query("table")) {
    if (!IsTableName(*asked)) {
      return call.Fail({.status = 400, .code = "BADREQUEST", .detail = "`table` is no table name"});
    }
    table = *asked;
  }
  const Incarnation store = engine_.status().self.incarnation;
  const StoreUsage usage = engine_.storage();
  ChangePlace from{Lsn{Raw(usage.lsn_last) + 1}, 0};
  if (const std::string* asked = AskedPosition(call.request, call.target)) {
    const auto known = ParseFeedPosition(kFeed, *asked);
    const auto place = known ? ReadChangePlace(known->place) : std::nullopt;
    if (!place) {
      return call.Fail(
          {.status = 400,
           .code = "BADREQUEST",
           .detail = "`from` and Last-Event-ID take the id of an event of this stream"});
    }
    from = *place;
    ChangeFollower trial(from);
    const bool there = known->store == store && trial.Read(*journal_, 1, [](const AppliedChange&) {
      return false;
    }) != ChangeFollower::End::kTrimmed;
    if (!there) {
      return call.Fail({.status = 410,
                        .code = "POSITION_GONE",
                        .detail = "this region's journal no longer has that position, or it is of "
                                  "another region: follow from now on, then read the table again"});
    }
  }
  StreamLease lease;
  if (!LeaseStream(call, lease)) return;
  call.Send({.content_type = "text/event-stream",
             .stream = std::make_shared<ChangeStream>(
                 *journal_, engine_, [this](RegionId id) { return RegionName(id); },
                 std::move(table), store, from, std::move(lease))});
}

}  // namespace hawser::admin
