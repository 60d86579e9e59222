#include "wan/link_connection.h"

#include <nats/nats.h>

#include <algorithm>
#include <utility>

#include "conflict/assert.h"
#include "wan/link_subject.h"
#include "wan/wire.h"

namespace hawser {

namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kConnectTimeoutMs = 2000;
constexpr std::int64_t kReconnectWaitMs = 200;
constexpr std::int64_t kReconnectJitterMs = 200;
constexpr int kPingsOutMax = 2;
// Holds the largest message, so that each goes out in one write.
constexpr int kIoBytes = 256 * 1024;
// Nothing of ours goes in there but what slips in before we hear of a disconnect.
constexpr int kReconnectBytes = 64 * 1024;
constexpr int kPendingMessagesMax = 65536;
constexpr std::size_t kSpentMessagesMax = 32;
constexpr std::size_t kSpentBytesMax = 256 * 1024;
constexpr std::int64_t kServerPayloadMin = 256 * 1024;
constexpr auto kDrainTime = 500ms;
constexpr auto kRebuildWait = 500ms;
// How often a lost connection is asked why: the library keeps only its last failure, and has no
// callback for those of its attempts to connect.
constexpr auto kAwayLookInterval = 100ms;
constexpr std::size_t kAwayReasonsMax = 8;
constexpr auto kErrorLogInterval = 1s;

struct OptionsFree {
  void operator()(natsOptions* options) const { natsOptions_Destroy(options); }
};

void AtMessage(natsConnection*, natsSubscription*, natsMsg* message, void* closure);

void AtStateChange(natsConnection*, void* closure) {
  static_cast<LinkConnection*>(closure)->OnStateChange();
}

// The library hands out a pointer into the connection, which it may write to at any time. The
// buffer is longer than what we read and its last byte stays zero, so the worst is a line of mixed
// text. The races are known and meant; no tool needs to find them again.
constexpr std::size_t kErrorTextMax = 200;
#if defined(__clang__)
__attribute__((no_sanitize("thread")))
#else
__attribute__((no_sanitize_thread))
#endif
std::size_t
CopyWhileWritten(const char* from, char* to) {
  const volatile char* at = from;
  std::size_t size = 0;
  while (size < kErrorTextMax) {
    const char byte = at[size];
    if (byte == '\0') break;
    to[size++] = byte;
  }
  return size;
}

std::string ErrorText(natsConnection* nats, natsStatus status) {
  const char* detail = nullptr;
  natsConnection_GetLastError(nats, &detail);
  std::string text = natsStatus_GetText(status);
  if (detail == nullptr) return text;
  char copy[kErrorTextMax];
  const std::string more(copy, CopyWhileWritten(detail, copy));
  return more.empty() || more == text ? text : text + ": " + more;
}

void AtError(natsConnection* nats, natsSubscription* subscription, natsStatus status,
             void* closure) {
  std::string text = ErrorText(nats, status);
  if (subscription != nullptr && status == NATS_SLOW_CONSUMER)
    text += " (received messages are dropped)";
  static_cast<LinkConnection*>(closure)->OnError(text);
}

}  // namespace

// ---- shared
// -----------------------------------------------------------------------------------------

void LinkShared::Receive(Received received) {
  const std::shared_lock lock(gate_);
  if (open_) on_receive_(std::move(received));
}

void LinkShared::Log(std::string level, std::string text) {
  const std::shared_lock lock(gate_);
  if (open_ && log_) log_(std::move(level), std::move(text));
}

void LinkShared::CloseGate() {
  const std::unique_lock lock(gate_);
  open_ = false;
}

// ---- from any thread
// --------------------------------------------------------------------------------

LinkConnection::LinkConnection(LinkConnectionOptions options, std::shared_ptr<LinkShared> shared)
    : options_(std::move(options)), shared_(std::move(shared)) {
  for (const LinkSubscription& wanted : options_.subscriptions) {
    subscribed_.push_back(std::make_unique<Subscribed>());
    subscribed_.back()->connection = this;
    subscribed_.back()->wanted = wanted;
  }
}

LinkConnection::~LinkConnection() {
  HW_ASSERT(!thread_.joinable());
}

void LinkConnection::Start() {
  thread_ = std::thread([self = shared_from_this()] { self->Run(); });
}

void LinkConnection::Send(std::string subject, std::string bytes, RegionId counted_at) {
  const std::uint64_t size = bytes.size();
  if (!connected() ||
      queued_bytes_.load(std::memory_order_relaxed) + size > options_.send_bytes_max) {
    shared_->counters(counted_at).dropped_messages.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  queued_bytes_.fetch_add(size, std::memory_order_relaxed);
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back({std::move(subject), std::move(bytes), counted_at});
    wake = std::exchange(sender_waits_, false);
  }
  if (wake) wake_.notify_one();
}

void LinkConnection::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    drain_until_ = Clock::now() + kDrainTime;
  }
  wake_.notify_one();
}

bool LinkConnection::AwaitStopped(Clock::time_point deadline) {
  {
    std::unique_lock lock(mutex_);
    if (!stopped_.wait_until(lock, deadline, [this] { return done_; })) {
      thread_.detach();
      return false;
    }
  }
  thread_.join();
  return true;
}

void LinkConnection::Retire(std::shared_ptr<LinkConnection> connection) {
  // On purpose never destroyed, and reachable: the library offers no moment from which it promises
  // to call back no more. A Link is made once in the life of a daemon.
  static std::mutex mutex;
  static auto* const retired = new std::vector<std::shared_ptr<LinkConnection>>;
  const std::lock_guard lock(mutex);
  retired->push_back(std::move(connection));
}

std::string LinkConnection::last_error() const {
  const std::lock_guard lock(mutex_);
  return last_error_;
}

std::uint64_t LinkConnection::receive_dropped(RegionId region) const {
  const std::lock_guard lock(subscriptions_mutex_);
  std::uint64_t dropped = 0;
  for (const auto& subscribed : subscribed_) {
    if (subscribed->wanted.region != region) continue;
    std::int64_t now = 0;
    if (subscribed->handle != nullptr) natsSubscription_GetDropped(subscribed->handle, &now);
    dropped += subscribed->dropped_before + static_cast<std::uint64_t>(now);
  }
  return dropped;
}

// ---- callbacks
// --------------------------------------------------------------------------------------

void LinkConnection::OnMessage(const LinkSubscription& subscription, natsMsg* message) {
  Received received;
  received.kind = subscription.kind;
  if (subscription.kind == Address::Kind::kLog || subscription.kind == Address::Kind::kBeat) {
    received.subject_region = subscription.region;
  }
  if (subscription.kind == Address::Kind::kLog) {
    const auto incarnation = LogSubjectIncarnation(natsMsg_GetSubject(message));
    if (!incarnation) {
      OnError("a log subject without an incarnation: " + std::string(natsMsg_GetSubject(message)));
      return;
    }
    received.subject_incarnation = *incarnation;
  }
  const auto size = static_cast<std::size_t>(natsMsg_GetDataLength(message));
  LinkCounters& counters = shared_->counters(subscription.region);
  counters.received_messages.fetch_add(1, std::memory_order_relaxed);
  counters.received_bytes.fetch_add(size, std::memory_order_relaxed);
  received.bytes.assign(natsMsg_GetData(message), size);
  shared_->Receive(std::move(received));
}

void LinkConnection::OnStateChange() {
  {
    const std::lock_guard lock(mutex_);
    state_changed_ = true;
  }
  wake_.notify_one();
}

// At most one line a second: a refused subject comes back for every message.
void LinkConnection::OnError(const std::string& text) {
  std::uint64_t unlogged = 0;
  std::string last_unlogged;
  {
    const std::lock_guard lock(mutex_);
    last_error_ = text;
    const Clock::time_point now = Clock::now();
    if (now - error_logged_at_ < kErrorLogInterval) {
      ++errors_unlogged_;
      last_unlogged_ = text;
      return;
    }
    error_logged_at_ = now;
    unlogged = std::exchange(errors_unlogged_, 0);
    last_unlogged = std::exchange(last_unlogged_, {});
  }
  std::string line = options_.name + ": " + text;
  if (unlogged > 0) {
    // Of the errors that come together, one says why: it must not be the one that is never shown.
    line += " (and " + std::to_string(unlogged) + " errors before";
    line += last_unlogged != text ? ", the last: " + last_unlogged + ")" : ")";
  }
  shared_->Log("warning", std::move(line));
}

namespace {

void AtMessage(natsConnection*, natsSubscription*, natsMsg* message, void* closure) {
  LinkConnection::HandleMessage(closure, message);
}

}  // namespace

// A destroyed message wakes the library's garbage thread: they are destroyed a few at a time, so
// that not every message costs a switch of threads. What is left at the end stays with the retired
// object.
void LinkConnection::HandleMessage(void* closure, natsMsg* message) {
  auto& subscribed = *static_cast<Subscribed*>(closure);
  subscribed.connection->OnMessage(subscribed.wanted, message);
  subscribed.spent_bytes += static_cast<std::size_t>(natsMsg_GetDataLength(message));
  subscribed.spent.push_back(message);
  if (subscribed.spent.size() < kSpentMessagesMax && subscribed.spent_bytes < kSpentBytesMax)
    return;
  for (natsMsg* spent : subscribed.spent) natsMsg_Destroy(spent);
  subscribed.spent.clear();
  subscribed.spent_bytes = 0;
}

// ---- the sender thread
// ------------------------------------------------------------------------------

void LinkConnection::Run() {
  for (;;) {
    std::deque<Outgoing> batch;
    bool stopping = false;
    bool state_changed = false;
    {
      std::unique_lock lock(mutex_);
      if (nats_ == nullptr) {
        wake_.wait_until(lock, next_try_, [this] { return stopping_; });
      } else if (const auto ready =
                     [this] { return stopping_ || state_changed_ || !queue_.empty(); };
                 !ready()) {
        sender_waits_ = true;
        if (connected()) {
          wake_.wait(lock, ready);
        } else {
          wake_.wait_for(lock, kAwayLookInterval, ready);
        }
        sender_waits_ = false;
      }
      batch.swap(queue_);
      stopping = stopping_;
      state_changed = std::exchange(state_changed_, false);
    }
    if (stopping) {
      Drain(std::move(batch));
      break;
    }
    if (nats_ == nullptr) {
      Connect();
    } else if (state_changed || !connected()) {
      ReadState();
    }
    SendAll(std::move(batch));
  }
  Disconnect();
  nats_ReleaseThreadMemory();
  const std::lock_guard lock(mutex_);
  done_ = true;
  stopped_.notify_all();
}

bool LinkConnection::Connect() {
  natsOptions* raw = nullptr;
  if (natsOptions_Create(&raw) != NATS_OK) return false;
  const std::unique_ptr<natsOptions, OptionsFree> options(raw);
  std::vector<const char*> urls;
  for (const std::string& url : options_.urls) urls.push_back(url.c_str());

  natsStatus status = NATS_OK;
  const auto set = [&status](natsStatus next) {
    if (status == NATS_OK) status = next;
  };
  set(natsOptions_SetServers(raw, urls.data(), static_cast<int>(urls.size())));
  set(natsOptions_SetNoRandomize(raw, true));
  set(natsOptions_SetIgnoreDiscoveredServers(raw, true));
  set(natsOptions_SetName(raw, options_.name.c_str()));
  set(natsOptions_SetTimeout(raw, kConnectTimeoutMs));
  set(natsOptions_SetPingInterval(raw, options_.ping_interval_ms));
  set(natsOptions_SetMaxPingsOut(raw, kPingsOutMax));
  set(natsOptions_SetWriteDeadline(raw, options_.write_deadline_ms));
  set(natsOptions_SetIOBufSize(raw, kIoBytes));
  set(natsOptions_SetMaxReconnect(raw, -1));
  set(natsOptions_SetReconnectWait(raw, kReconnectWaitMs));
  set(natsOptions_SetReconnectJitter(raw, kReconnectJitterMs, kReconnectJitterMs));
  set(natsOptions_SetReconnectBufSize(raw, kReconnectBytes));
  // The library's flusher thread would wait a millisecond for company; one write per message is
  // cheap where messages are as large as ours.
  set(natsOptions_SetSendAsap(raw, true));
  // One delivery thread for all subscriptions instead of one each: our callback only copies.
  set(natsOptions_UseGlobalMessageDelivery(raw, true));
  set(natsOptions_SetRetryOnFailedConnect(raw, true, AtStateChange, this));
  set(natsOptions_SetDisconnectedCB(raw, AtStateChange, this));
  set(natsOptions_SetReconnectedCB(raw, AtStateChange, this));
  set(natsOptions_SetClosedCB(raw, AtStateChange, this));
  set(natsOptions_SetErrorHandler(raw, AtError, this));
  if (!options_.credentials_file.empty()) {
    set(natsOptions_SetUserCredentialsFromFiles(raw, options_.credentials_file.c_str(), nullptr));
  }
  if (status == NATS_OK) {
    status = natsConnection_Connect(&nats_, raw);
    if (status == NATS_NOT_YET_CONNECTED) status = NATS_OK;
  }
  if (status != NATS_OK || !Subscribe()) {
    const char* detail = nullptr;
    if (status == NATS_OK) status = natsConnection_GetLastError(nats_, &detail);
    OnError(std::string("cannot connect: ") + natsStatus_GetText(status));
    Disconnect();
    return false;
  }
  ReadState();
  return true;
}

bool LinkConnection::Subscribe() {
  const auto bytes_max =
      static_cast<int>(std::min<std::uint64_t>(options_.receive_bytes_max, 1 << 30));
  for (const auto& subscribed : subscribed_) {
    natsSubscription* handle = nullptr;
    if (natsConnection_Subscribe(&handle, nats_, subscribed->wanted.subject.c_str(), AtMessage,
                                 subscribed.get()) != NATS_OK) {
      return false;
    }
    natsSubscription_SetPendingLimits(handle, kPendingMessagesMax, bytes_max);
    const std::lock_guard lock(subscriptions_mutex_);
    subscribed->handle = handle;
  }
  return true;
}

void LinkConnection::Disconnect() {
  connected_ = false;
  next_try_ = Clock::now() + kRebuildWait;
  if (nats_ == nullptr) return;
  for (const auto& subscribed : subscribed_) {
    const std::lock_guard lock(subscriptions_mutex_);
    if (subscribed->handle == nullptr) continue;
    std::int64_t dropped = 0;
    natsSubscription_GetDropped(subscribed->handle, &dropped);
    subscribed->dropped_before += static_cast<std::uint64_t>(dropped);
    natsSubscription_Destroy(std::exchange(subscribed->handle, nullptr));
  }
  natsConnection_Close(nats_);
  natsConnection_Destroy(std::exchange(nats_, nullptr));
}

// The library's own word counts; callbacks only say that it may have changed.
void LinkConnection::ReadState() {
  const natsConnStatus status = natsConnection_Status(nats_);
  const bool now = status == NATS_CONN_STATUS_CONNECTED;
  const bool before = connected_.exchange(now);
  if (now && !before) {
    if (std::exchange(ever_connected_, true)) reconnects_.fetch_add(1);
    {
      const std::lock_guard lock(mutex_);
      last_error_.clear();
    }
    away_reasons_.clear();
    shared_->Log("info", options_.name + ": connected");
    const std::int64_t payload_max = natsConnection_GetMaxPayload(nats_);
    if (payload_max < kServerPayloadMin) {
      OnError("max_payload of the server is " + std::to_string(payload_max) + " bytes, " +
              std::to_string(kServerPayloadMin) + " are needed: larger messages will be lost");
    }
  } else if (!now) {
    const char* detail = nullptr;
    const natsStatus error = natsConnection_GetLastError(nats_, &detail);
    std::string text = "not connected: " +
                       (error == NATS_OK ? "the connection was lost" : ErrorText(nats_, error));
    // Each reason once, until the next connection: servers may be away for days.
    if (before || (away_reasons_.size() < kAwayReasonsMax && !away_reasons_.contains(text))) {
      OnError(text);
      away_reasons_.insert(std::move(text));
    }
  }
  if (status == NATS_CONN_STATUS_CLOSED) Disconnect();
}

void LinkConnection::Drop(const Outgoing& outgoing) {
  shared_->counters(outgoing.counted_at).dropped_messages.fetch_add(1, std::memory_order_relaxed);
}

LinkConnection::Sent LinkConnection::SendOne(const Outgoing& outgoing) {
  const natsStatus status =
      natsConnection_Publish(nats_, outgoing.subject.c_str(), outgoing.bytes.data(),
                             static_cast<int>(outgoing.bytes.size()));
  switch (status) {
    case NATS_OK: {
      LinkCounters& counters = shared_->counters(outgoing.counted_at);
      counters.sent_messages.fetch_add(1, std::memory_order_relaxed);
      counters.sent_bytes.fetch_add(outgoing.bytes.size(), std::memory_order_relaxed);
      return Sent::kYes;
    }
    case NATS_MAX_PAYLOAD:
    case NATS_INSUFFICIENT_BUFFER:
    case NATS_INVALID_SUBJECT:
      OnError(std::string("not sent: ") + natsStatus_GetText(status));
      return Sent::kDropped;
    default:
      // Part of the message may be on the socket: whatever follows would be read as its rest.
      OnError(std::string("write failed: ") + natsStatus_GetText(status));
      return Sent::kBroken;
  }
}

void LinkConnection::SendAll(std::deque<Outgoing> batch) {
  for (const Outgoing& outgoing : batch) {
    const Sent sent = connected() ? SendOne(outgoing) : Sent::kDropped;
    if (sent != Sent::kYes) Drop(outgoing);
    queued_bytes_.fetch_sub(outgoing.bytes.size(), std::memory_order_relaxed);
    // While the library is reconnecting by itself, it has given up that socket already.
    if (sent == Sent::kBroken) {
      connected_ = false;
      if (natsConnection_Status(nats_) != NATS_CONN_STATUS_RECONNECTING) Disconnect();
    }
  }
}

void LinkConnection::Drain(std::deque<Outgoing> batch) {
  bool going = connected();
  for (const Outgoing& outgoing : batch) {
    going = going && Clock::now() < drain_until_ && SendOne(outgoing) == Sent::kYes;
    if (!going) Drop(outgoing);
  }
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(drain_until_ - Clock::now());
  if (going && left > 0ms) natsConnection_FlushTimeout(nats_, left.count());
}

}  // namespace hawser
