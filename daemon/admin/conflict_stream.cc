// The conflict log as a stream of events.

#include "daemon/admin/conflict_stream.h"
#include "daemon/admin/api.h"
#include "daemon/admin/conflict_scan.h"
#include "daemon/admin/event_text.h"
#include "daemon/feeds/conflict_follower.h"

namespace hawser::admin {
namespace {

constexpr char kFeed = 'c';
constexpr std::size_t kPieceBytes = 16 * 1024;  // a piece ends past it
constexpr std::size_t kPieceRows = 64;          // looked at for one piece

class ConflictStream : public StreamBody {
 public:
  // `reader` and `lease` as long as the stream is.
  ConflictStream(Reader& reader, RegionNames names, ConflictFilter filter, FeedPosition from,
                 std::shared_ptr<void> lease)
      : reader_(reader),
        names_(std::move(names)),
        filter_(std::move(filter)),
        store_(from.store),
        follower_(std::move(from.place)),
        lease_(std::move(lease)) {}

  // Tells of what may be missing before the position asked for.
  void BeginWithGap(std::string detail) { gap_ = std::move(detail); }

  More Next(std::string& out, bool quiet) override {
    const std::unique_ptr<View> view = reader_.Take();
    const auto piece = follower_.Next(*view, kPieceRows);
    if (piece.gap)
      gap_ = "the log no longer has what came next: it is kept for [conflicts] max_age";
    if (!gap_.empty()) TellGap(out);
    for (const std::string& order_key : piece.order_keys) {
      Tell(*view, order_key, out);
      follower_.MoveTo(order_key);
      if (out.size() >= kPieceBytes) break;
    }
    if (view->damaged()) return EndDamaged(out);
    if (!begun_ && out.empty()) AppendPosition("from here", Id(), out);
    if (quiet && out.empty()) AppendPosition("nothing new", Id(), out);
    begun_ = true;
    const bool all = piece.order_keys.empty() || follower_.position() == piece.order_keys.back();
    return piece.more || !all ? More::kNow : More::kLater;
  }

 private:
  std::string Id() const { return FeedPositionText(kFeed, {store_, follower_.position()}); }

  void TellGap(std::string& out) {
    JsonWriter json;
    json.BeginObject();
    json.Member("detail", gap_);
    json.EndObject();
    AppendEvent("gap", Id(), json.Take(), out);
    gap_.clear();
  }

  void Tell(View& view, const std::string& order_key, std::string& out) {
    const auto ordered = ParseOrderKey(order_key);
    if (!ordered || !ReadConflict(view, ordered->id, logged_)) return;
    // Logged again after it was dropped: it is told of at its new place.
    if (logged_.conflict.place != ordered->place || !filter_.Matches(logged_.conflict)) return;
    if (filter_.resolved && IsResolved(view, logged_.id) != *filter_.resolved) return;
    JsonWriter json;
    json.BeginObject();
    WriteLogged(view, logged_, names_, json);
    json.EndObject();
    AppendEvent("conflict", FeedPositionText(kFeed, {store_, order_key}), json.Take(), out);
  }

  // Nothing read through this view may be told.
  More EndDamaged(std::string& out) {
    out.clear();
    out = ": a row is damaged on this region's disk\n\n";
    return More::kEnd;
  }

  Reader& reader_;
  const RegionNames names_;
  const ConflictFilter filter_;
  const Incarnation store_;
  ConflictFollower follower_;
  const std::shared_ptr<void> lease_;
  std::string gap_;  // what to tell of it; empty: none
  bool begun_ = false;
  LoggedConflict logged_;
};

}  // namespace

std::string ConflictEventJson(View& view, const std::string& order_key, const RegionNames& names) {
  const auto ordered = ParseOrderKey(order_key);
  LoggedConflict logged;
  if (!ordered || !ReadConflict(view, ordered->id, logged)) return {};
  if (logged.conflict.place != ordered->place) return {};
  JsonWriter json;
  json.BeginObject();
  WriteLogged(view, logged, names, json);
  json.EndObject();
  return json.Take();
}

bool Api::LeaseStream(const Call& call, StreamLease& lease) {
  if (*streams_ >= options_.streams_max) {
    call.Fail({.status = 503,
               .code = "BUSY",
               .detail = "there are " + std::to_string(options_.streams_max) +
                         " event streams already: close one, or try again",
               .retry_after_seconds = 5});
    return false;
  }
  ++*streams_;
  lease = StreamLease(nullptr, [count = streams_](void*) { --*count; });
  return true;
}

void Api::StreamConflicts(Call call) {
  auto filter = PlanConflictFilter(call.target, options_);
  if (!filter) return call.Fail(filter.error());
  const std::unique_ptr<View> view = reader_->Take();
  FeedPosition from{.store = engine_.status().self.incarnation, .place = {}};
  std::string gap;
  const std::string* asked = AskedPosition(call.request, call.target);
  if (asked && *asked != "oldest") {
    auto known = ParseFeedPosition(kFeed, *asked);
    if (!known || known->place.size() != ConflictFollower::kPositionBytes) {
      return call.Fail({.status = 400,
                        .code = "BADREQUEST",
                        .detail =
                            "`from` and Last-Event-ID take the id of an event of this stream, "
                            "or `oldest`"});
    }
    if (known->store == from.store) {
      from.place = std::move(known->place);
    } else {
      gap =
          "that position is of another region, or of this one before it was restored: what "
          "follows is all that this region's log has";
    }
  } else if (!asked && filter->since_ms) {
    // A key without an id is before all of its place: this one is newer than all before that time.
    from.place = OrderKeyBefore(*filter->since_ms) + std::string(kOrderKeyBytes - 8, '\0');
    from.place = std::max(from.place, ConflictFollower::Newest(*view));
    from.place = std::min(from.place, ConflictFollower::Oldest(*view));
  } else if (!asked) {
    from.place = ConflictFollower::Newest(*view);
  }
  if (from.place.empty()) from.place = ConflictFollower::Oldest(*view);

  StreamLease lease;
  if (!LeaseStream(call, lease)) return;
  auto stream = std::make_shared<ConflictStream>(
      *reader_, [this](RegionId id) { return RegionName(id); }, std::move(*filter), std::move(from),
      std::move(lease));
  if (!gap.empty()) stream->BeginWithGap(std::move(gap));
  call.Send({.content_type = "text/event-stream", .stream = std::move(stream)});
}

}  // namespace hawser::admin
