#pragma once

// CommitBell: tells whoever follows the engine that something was committed and can be read now, so
// that nobody has to poll.
// Threads: Listen and the end of an Ear from any thread; Ring from the engine's. What is called is
//          called on the engine's thread, with the bell's lock held: it must be quick, must not
//          block and must not touch the bell. It gets no data: it reads what it follows.

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace hawser {

class CommitBell {
 public:
  // Hears until it is destroyed. REQUIRES: the bell lives longer.
  class Ear {
   public:
    Ear(CommitBell& bell, std::function<void()> heard) : bell_(bell), heard_(std::move(heard)) {}
    ~Ear() {
      const std::lock_guard lock(bell_.mutex_);
      std::erase(bell_.ears_, this);
    }
    Ear(const Ear&) = delete;
    Ear& operator=(const Ear&) = delete;

   private:
    friend class CommitBell;
    CommitBell& bell_;
    const std::function<void()> heard_;
  };

  [[nodiscard]] std::unique_ptr<Ear> Listen(std::function<void()> heard) {
    auto ear = std::make_unique<Ear>(*this, std::move(heard));
    const std::lock_guard lock(mutex_);
    ears_.push_back(ear.get());
    return ear;
  }

  void Ring() {
    const std::lock_guard lock(mutex_);
    for (const Ear* ear : ears_) ear->heard_();
  }

 private:
  std::mutex mutex_;
  std::vector<Ear*> ears_;  // guarded by mutex_
};

}  // namespace hawser
