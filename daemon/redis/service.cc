#include "daemon/redis/service.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <random>

#include "daemon/redis/connection.h"

namespace hawser::redis {
namespace {

constexpr std::uint64_t kListenerId = 1;
constexpr std::int64_t kAcceptPauseNs = 100'000'000;
constexpr std::int64_t kStopWithinNs = 10'000'000'000;
// A round beyond this is submitted before the turn ends, so that one job stays a small step.
constexpr std::size_t kRoundBytes = 4 * 1024 * 1024;
constexpr std::size_t kSpareBatches = 1024;

std::string AddressText(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "?";
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    return "[" + std::string(text) + "]:" + std::to_string(ntohs(v6.sin6_port));
  }
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
  inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
  return std::string(text) + ":" + std::to_string(ntohs(v4.sin_port));
}

std::string RandomHex(int digits) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::random_device random;
  std::string text;
  for (int i = 0; i < digits; ++i) text.push_back(kHex[random() % 16]);
  return text;
}

}  // namespace

std::int64_t MonoNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

Service::Service(RedisOptions options, Engine& engine, int listener)
    : options_(std::move(options)),
      engine_(engine),
      listener_(listener),
      inbox_(std::make_shared<Inbox>([this] { poller_.Wake(); })),
      announcer_(*this),
      started_at_ns_(MonoNs()),
      run_id_(RandomHex(40)),
      lane_([this] { return engine_.NewReader(); }),
      ear_(engine.commit_bell().Listen([this] {
        if (announcer_.Rung()) AnnounceLater();
      })) {
  poller_.Add(listener_, kListenerId, true, false);
}

Service::~Service() {
  ear_.reset();
  inbox_->Close();
  if (listener_ >= 0) close(listener_);
}

void Service::Stop() {
  stop_wanted_ = true;
  poller_.Wake();
}

void Service::Run() {
  reader_ = engine_.NewReader();
  while (true) {
    for (const epoll_event& event : poller_.Wait(TimeoutMs())) {
      if (event.data.u64 == 0) continue;  // a wake-up: the inbox is looked into below
      if (event.data.u64 == kListenerId) {
        Accept();
      } else if (Connection* connection = Find(event.data.u64)) {
        if ((event.events & EPOLLOUT) != 0) connection->OnWritable();
        if ((event.events & EPOLLIN) != 0) {
          connection->OnReadable();
        } else if ((event.events & (EPOLLHUP | EPOLLERR)) != 0) {
          connection->OnHangup();
        }
      }
    }
    SubmitRound();
    TakeInbox();
    SubmitRound();
    Reap();
    ResumeAcceptIfDue();
    if (stop_wanted_ && !stopping_) BeginStop();
    if (stopping_ && StopFinished()) break;
  }
  reader_.reset();
}

int Service::TimeoutMs() const {
  if (stopping_) return 20;
  return accept_again_ns_ != 0 ? 50 : -1;
}

// --- Clients -------------------------------------------------------------------------------------

void Service::Accept() {
  for (int i = 0; i < 64; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const int fd = accept4(listener_, reinterpret_cast<sockaddr*>(&address), &size,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) PauseAccept();
      return;
    }
    counters_.accepted.Add(1);
    if (counters_.clients.get() >= options_.clients_max) {
      counters_.rejected.Add(1);
      constexpr std::string_view kText = "-ERR max number of clients reached\r\n";
      send(fd, kText.data(), kText.size(), MSG_NOSIGNAL);
      close(fd);
      continue;
    }
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    sockaddr_storage local{};
    socklen_t local_size = sizeof local;
    getsockname(fd, reinterpret_cast<sockaddr*>(&local), &local_size);
    const std::uint64_t id = next_id_++;
    if (!poller_.Add(fd, id, true, false)) {
      counters_.rejected.Add(1);
      close(fd);
      continue;
    }
    counters_.clients.Set(counters_.clients.get() + 1);
    connections_.emplace(
        id, std::make_unique<Connection>(*this, fd, id, AddressText(address), AddressText(local)));
  }
}

// Out of file descriptors: those who wait in the backlog are taken when some are free again.
void Service::PauseAccept() {
  poller_.Change(listener_, kListenerId, false, false);
  accept_again_ns_ = MonoNs() + kAcceptPauseNs;
  counters_.accept_paused.Set(1);
}

void Service::ResumeAcceptIfDue() {
  if (accept_again_ns_ == 0 || listener_ < 0 || MonoNs() < accept_again_ns_) return;
  accept_again_ns_ = 0;
  counters_.accept_paused.Set(0);
  poller_.Change(listener_, kListenerId, true, false);
}

Connection* Service::Find(std::uint64_t connection) {
  const auto at = connections_.find(connection);
  return at == connections_.end() ? nullptr : at->second.get();
}

void Service::ForEachConnection(const std::function<void(Connection&)>& visit) {
  for (const auto& [id, connection] : connections_) {
    if (!connection->closed()) visit(*connection);
  }
}

void Service::Reap() {
  for (const std::uint64_t id : to_reap_) {
    const Connection* connection = Find(id);
    if (connection != nullptr && connection->Forgettable()) connections_.erase(id);
  }
  to_reap_.clear();
}

std::string Service::RegionName(RegionId region) const {
  const auto at = options_.region_names.find(region);
  return at == options_.region_names.end() ? std::to_string(Raw(region)) : at->second;
}

// --- To the engine and back
// ------------------------------------------------------------------------

std::unique_ptr<Batch> Service::NewBatch() {
  if (spare_batches_.empty()) return std::make_unique<Batch>();
  std::unique_ptr<Batch> batch = std::move(spare_batches_.back());
  spare_batches_.pop_back();
  return batch;
}

void Service::Recycle(std::unique_ptr<Batch> batch) {
  if (spare_batches_.size() >= kSpareBatches) return;
  batch->Clear();
  spare_batches_.push_back(std::move(batch));
}

void Service::Send(std::unique_ptr<Batch> batch) {
  round_bytes_ += batch->input.end;
  round_.push_back(std::move(batch));
  if (round_bytes_ >= kRoundBytes) SubmitRound();
}

void Service::SubmitRound() {
  if (round_.empty()) return;
  engine_.Submit(std::make_unique<Round>(std::move(round_), inbox_));
  round_.clear();
  round_bytes_ = 0;
}

void Service::TakeInbox() {
  if (!inbox_->Take(returned_, calls_)) return;
  for (Batches& batches : returned_) {
    for (std::unique_ptr<Batch>& batch : batches) {
      Connection* connection = Find(batch->connection);  // there until its last batch is back
      connection->TakeBack(std::move(batch));
      touched_.push_back(connection);
    }
  }
  returned_.clear();
  // Replies of a connection leave together, however many of its batches came back.
  for (Connection* connection : touched_) connection->Settle();
  touched_.clear();
  for (const auto& call : calls_) call();
  calls_.clear();
}

void Service::AnnounceLater() {
  inbox_->PutCall([this] {
    if (announcer_.Announce()) AnnounceLater();
  });
}

std::function<void(std::function<void()>)> Service::Poster() {
  return [inbox = inbox_](std::function<void()> call) { inbox->PutCall(std::move(call)); };
}

std::function<void(std::string)> Service::Resumer(std::uint64_t connection) {
  return [this, inbox = inbox_, connection](std::string reply) {
    inbox->PutCall([this, connection, bytes = std::move(reply)] {
      if (Connection* client = Find(connection)) client->Resume(bytes);
    });
  };
}

// --- The end
// -------------------------------------------------------------------------------------------

void Service::BeginStop() {
  stopping_ = true;
  stop_by_ns_ = MonoNs() + kStopWithinNs;
  poller_.Remove(listener_);
  close(listener_);
  listener_ = -1;
  ForEachConnection([](Connection& connection) { connection.Finish(); });
  SubmitRound();
}

bool Service::StopFinished() {
  Reap();
  const bool late = MonoNs() > stop_by_ns_;
  if (!connections_.empty() && !late) return false;
  ForEachConnection([](Connection& connection) { connection.Close(); });
  return true;
}

}  // namespace hawser::redis
