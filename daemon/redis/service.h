#pragma once

// Service: the I/O thread: listener, connections, the round being filled, what comes back.
// Threads: everything on the I/O thread except Stop, Resumer's result and counters().

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "daemon/engine.h"
#include "daemon/redis/announcer.h"
#include "daemon/redis/buffer.h"
#include "daemon/redis/cursors.h"
#include "daemon/redis/options.h"
#include "daemon/redis/poller.h"
#include "daemon/redis/round.h"
#include "daemon/redis/slow_lane.h"
#include "daemon/redis/stats.h"

namespace hawser::redis {

class Connection;

std::int64_t MonoNs();

class Service {
 public:
  Service(RedisOptions options, Engine& engine, int listener);
  ~Service();

  void Run();   // the I/O thread's body; returns after Stop
  void Stop();  // any thread
  bool ok() const { return poller_.ok(); }
  Counters& counters() { return counters_; }

  // --- For connections and handlers --------------------------------------------------------------
  const RedisOptions& options() const { return options_; }
  Engine& engine() { return engine_; }
  Poller& poller() { return poller_; }
  BufferPool& buffers() { return buffers_; }
  Cursors& cursors() { return cursors_; }
  SlowLane& lane() { return lane_; }
  Announcer& announcer() { return announcer_; }
  void AnnounceLater();  // in pieces: commands come in between
  Scratch& scratch() { return scratch_; }
  std::vector<std::string_view>& args() { return args_; }
  std::unique_ptr<View> TakeView() { return reader_->Take(); }

  std::unique_ptr<Batch> NewBatch();
  void Recycle(std::unique_ptr<Batch> batch);
  // Hands a batch to the engine at the end of this turn of the loop.
  void Send(std::unique_ptr<Batch> batch);

  // From any thread: gives `reply` to the suspended connection, if it is still there.
  std::function<void(std::string)> Resumer(std::uint64_t connection);
  // From any thread: runs `call` on the I/O thread.
  std::function<void(std::function<void()>)> Poster();

  Connection* Find(std::uint64_t connection);
  // A closed connection: destroyed once nothing of it is in the engine.
  void ReapLater(std::uint64_t connection) { to_reap_.push_back(connection); }
  void ForEachConnection(const std::function<void(Connection&)>& visit);
  std::int64_t started_at_ns() const { return started_at_ns_; }
  const std::string& run_id() const { return run_id_; }
  std::string RegionName(RegionId region) const;

 private:
  void Accept();
  void PauseAccept();
  void ResumeAcceptIfDue();
  void TakeInbox();
  void SubmitRound();
  void Reap();
  void BeginStop();
  bool StopFinished();
  int TimeoutMs() const;

  RedisOptions options_;
  Engine& engine_;
  int listener_;
  Poller poller_;
  std::shared_ptr<Inbox> inbox_;
  BufferPool buffers_;
  Cursors cursors_;
  Scratch scratch_;
  std::vector<std::string_view> args_;
  Counters counters_;
  std::unique_ptr<Reader> reader_;
  Announcer announcer_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<Batch>> spare_batches_;
  Batches round_;
  std::size_t round_bytes_ = 0;
  std::vector<Batches> returned_;
  std::vector<std::function<void()>> calls_;
  std::vector<Connection*> touched_;
  std::vector<std::uint64_t> to_reap_;
  std::uint64_t next_id_ = 2;
  std::int64_t accept_again_ns_ = 0;  // not 0: accepting is paused until then
  std::int64_t started_at_ns_ = 0;
  std::int64_t stop_by_ns_ = 0;
  std::string run_id_;
  std::atomic<bool> stop_wanted_{false};
  bool stopping_ = false;
  SlowLane lane_;  // its thread ends first
  std::unique_ptr<CommitBell::Ear> ear_;
};

}  // namespace hawser::redis
