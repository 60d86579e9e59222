#include "daemon/feeds/claim_teller.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

#include "conflict/record_codec.h"
#include "daemon/feeds/conflict_follower.h"
#include "homing/claim.h"
#include "storage/conflict_log.h"

namespace hawser {
namespace {

constexpr std::int64_t kLookMs = 100;
constexpr std::int64_t kRetryMs = 250;
constexpr std::int64_t kRetryMsMax = 60'000;
constexpr std::size_t kRowsMax = 64;

std::string TimeText(std::int64_t unix_ms) {
  const std::time_t seconds = unix_ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[40];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  char millis[8];
  std::snprintf(millis, sizeof millis, ".%03dZ", static_cast<int>(unix_ms % 1000));
  return std::string(text, size) + millis;
}

std::string ReadPosition(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(file), {});
  return bytes.size() == ConflictFollower::kPositionBytes ? bytes : std::string();
}

// Written beside and renamed: it is the old one or the new one.
void WritePosition(const std::string& path, const std::string& position) {
  const std::string beside = path + ".new";
  const int fd = open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return;
  const bool written =
      write(fd, position.data(), position.size()) == static_cast<ssize_t>(position.size()) &&
      fdatasync(fd) == 0;
  close(fd);
  if (written) (void)std::rename(beside.c_str(), path.c_str());
}

}  // namespace

ClaimTeller::ClaimTeller(ClaimTellerOptions options, std::unique_ptr<Reader> reader)
    : options_(std::move(options)), reader_(std::move(reader)), thread_([this] { Loop(); }) {}

ClaimTeller::~ClaimTeller() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool ClaimTeller::Sleep(std::int64_t ms) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, std::chrono::milliseconds(ms), [this] { return stopping_; });
}

void ClaimTeller::Loop() {
  std::string begun = ReadPosition(options_.position_path);
  if (begun.empty()) begun = ConflictFollower::Oldest(*reader_->Take());
  ConflictFollower follower(std::move(begun));
  std::int64_t retry_ms = kRetryMs;
  std::optional<std::uint64_t> seen;  // of conflicts_logged, told to its end
  for (std::int64_t pause_ms = 0; Sleep(pause_ms);) {
    const std::uint64_t logged = options_.conflicts_logged();  // before the view: none is missed
    if (seen == logged) {
      pause_ms = kLookMs;
      continue;
    }
    const std::string before = follower.position();
    const ConflictFollower::Piece piece = follower.Next(*reader_->Take(), kRowsMax);
    bool taken = true;
    for (const std::string& order_key : piece.order_keys) {
      taken = Tell(order_key);
      if (!taken) break;
      follower.MoveTo(order_key);
    }
    if (taken && !piece.more) seen = logged;
    if (follower.position() != before) {
      WritePosition(options_.position_path, follower.position());
      retry_ms = kRetryMs;
    }
    pause_ms = taken ? (piece.more ? 0 : kLookMs) : retry_ms;
    if (!taken) retry_ms = std::min(retry_ms * 2, kRetryMsMax);
  }
}

std::string ClaimTeller::EventAt(const std::string& order_key) {
  const auto place = ParseOrderKey(order_key);
  if (!place) return {};
  const std::unique_ptr<View> view = reader_->Take();
  std::string row_key;
  AppendRowKey(kConflictTable, place->id, row_key);
  Record record;
  const auto row = view->Get(row_key);
  if (!row || !DecodeRecord(*row, record)) return {};
  const auto lost = ParseConflict(record);
  if (!lost || lost->kind != Text(ConflictKind::kClaim)) return {};
  if (lost->loser.dot.origin.region != options_.self) return {};
  const auto name_of = [this](RegionId region) {
    const auto at = options_.regions.find(region);
    return at == options_.regions.end() ? std::to_string(Raw(region)) : at->second;
  };
  const ClaimName claim = SplitClaimKey(lost->key);
  const nlohmann::json event{{"event", "claim_lost"},
                             {"id", place->id},
                             {"at", TimeText(lost->at_ms)},
                             {"region", name_of(options_.self)},
                             {"name", std::string(claim.name)},
                             {"value", std::string(claim.value)},
                             {"owner", std::string(lost->loser.value.value_or(""))},
                             {"winner", std::string(lost->winner.value.value_or(""))},
                             {"winner_region", name_of(lost->winner.dot.origin.region)}};
  return event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool ClaimTeller::Tell(const std::string& order_key) {
  const std::string body = EventAt(order_key);  // no view is held while the webhook is asked
  if (body.empty()) return true;
  if (published_ != order_key) {
    options_.publish("claim_lost", body);
    published_ = order_key;
  }
  if (options_.webhook.url.empty()) return true;
  const auto done = PostWebhook(options_.webhook, "claim_lost", body, std::time(nullptr));
  if (!done.has_value() != failing_) {
    failing_ = !done.has_value();
    options_.remark(failing_, done ? std::string() : done.error());
  }
  return done.has_value();
}

}  // namespace hawser
