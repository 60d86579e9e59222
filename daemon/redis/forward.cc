#include "daemon/redis/forward.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "daemon/redis/batch.h"
#include "daemon/redis/forward_body.h"
#include "daemon/redis/homed.h"
#include "daemon/redis/reply.h"
#include "daemon/redis/service.h"

namespace hawser::redis {
namespace {

std::string ErrorReply(int protocol, std::string_view text) {
  std::string out;
  Reply(out, protocol).Error(text);
  return out;
}

std::string FailureText(const std::string& home, CallFailure failure) {
  if (NeverRan(failure)) {
    return "HOMEDOWN " + home + " is the home of this unit, and " + Text(failure) +
           ": nothing was written; try again later, or HOME MOVE it with FORCE if that region is "
           "lost";
  }
  return "UNKNOWN " + home + " is the home of this unit, and " + Text(failure) +
         ": the write may or may not have happened";
}

std::int64_t NowMonoMs() {
  return MonoNs() / 1'000'000;
}

// Commands of another region's client, run here as this region's.
class ForwardedJob final : public Job {
 public:
  struct Work {
    std::string body;
    ForwardedCommands forwarded;  // borrows from the body
    std::int64_t deadline_mono_ms = 0;
    CallAnswerer answer;
    Engine* engine = nullptr;
  };
  explicit ForwardedJob(std::unique_ptr<Work> work) : work_(std::move(work)) {
    const auto& forwarded = work_->forwarded;
    std::unique_ptr<Bundle> bundle = forwarded.bundle ? std::make_unique<Bundle>() : nullptr;
    for (const auto& args : forwarded.commands) {
      const Command& command = *FindCommand(args[0]);
      if (bundle) {
        bundle->Add(command, args);
      } else {
        batch_.Add(Item::Type::kRun, command, args, forwarded.protocol, false);
      }
    }
    if (bundle) {
      batch_.AddExec(*FindCommand("EXEC"), std::move(bundle), forwarded.protocol, false);
      batch_.SetWatches(std::make_shared<WatchList>());
    }
  }

  void Run(Session& session) override {
    late_ = NowMonoMs() >= work_->deadline_mono_ms;  // nobody waits for it any more
    if (late_) return;
    // It is not known here yet that this is the home, or what its client wrote before.
    ran_ = session.applied().Covers(work_->forwarded.known_by) &&
           session.applied().Covers(work_->forwarded.after);
    if (!ran_) return;
    // A write is judged by the engine, reads here: if nothing writes, or the client wants it so.
    if ((work_->forwarded.reads_at_home || !Writes()) && !IsAtHome(session)) {
      batch_.out = ErrorReply(work_->forwarded.protocol, RefusalText(Refusal::kNotHome));
      return;
    }
    thread_local Scratch scratch;
    batch_.Run(session, scratch);
  }

  void Done(Outcome outcome) override {
    if (outcome == Outcome::kUnknown) {
      return work_->answer(EncodeForwardAnswer({.outcome = ForwardOutcome::kUnknown}));
    }
    if (late_) {
      return work_->answer(EncodeForwardAnswer({.outcome = ForwardOutcome::kBehind}));
    }
    if (!ran_) return WaitForNews(std::move(work_));
    work_->answer(EncodeForwardAnswer({.last_write = batch_.last_write, .reply = batch_.out}));
  }

 private:
  bool Writes() const {
    return std::ranges::any_of(work_->forwarded.commands, [](const auto& args) {
      return FindCommand(args[0])->place == Place::kWrite;
    });
  }
  bool IsAtHome(Session& session) const {
    const auto homed = work_->engine->homed();
    if (!homed) return true;
    HomeFinder finder(*homed, [&](std::string_view row_key) { return session.Get(row_key); });
    for (const auto& args : work_->forwarded.commands) {
      AddKeys(*FindCommand(args[0]), args, finder);
    }
    const Belonging found = finder.Found();
    const RegionId here = session.Begin()->store().self().region;
    return !found.crosses && (found.home == RegionId{} || found.home == here);
  }
  static void WaitForNews(std::unique_ptr<Work> work) {
    CutWait wait;
    if (Raw(work->forwarded.known_by.seq) != 0) wait.cut.Raise(work->forwarded.known_by);
    if (Raw(work->forwarded.after.seq) != 0) wait.cut.Raise(work->forwarded.after);
    // Half of what is left, so that the caller still hears that nothing was done.
    const std::int64_t now_ms = NowMonoMs();
    wait.deadline_mono_ms = now_ms + (work->deadline_mono_ms - now_ms) / 2;
    Engine* const engine = work->engine;
    wait.done = [held = std::make_shared<std::unique_ptr<Work>>(std::move(work))](bool reached) {
      std::unique_ptr<Work> mine = std::move(*held);
      if (!reached) {
        return mine->answer(EncodeForwardAnswer({.outcome = ForwardOutcome::kBehind}));
      }
      Engine* const again = mine->engine;
      again->Submit(std::make_unique<ForwardedJob>(std::move(mine)));
    };
    engine->Submit(std::move(wait));
  }

  std::unique_ptr<Work> work_;
  Batch batch_;
  bool ran_ = false;
  bool late_ = false;
};

// Only what a client may ask of a home: data commands, as the table has them.
bool MayBeForwarded(const ForwardedCommands& forwarded) {
  for (const auto& args : forwarded.commands) {
    const Command* command = FindCommand(args[0]);
    if (command == nullptr || !ArityFits(*command, args.size())) return false;
    if (command->run == nullptr) return false;
  }
  return true;
}

}  // namespace

void Forward(Forwarding what, Engine& engine, Calls& calls, ForwardAnswered answer) {
  if (!IsHeard(engine.status(), what.to)) {
    return answer(ErrorReply(what.protocol, "HOMEDOWN " + what.home_name +
                                                " is the home of this unit and is not heard: "
                                                "nothing was written; HOME MOVE … FORCE takes it "
                                                "over if that region is lost"),
                  {});
  }
  const auto done = [&engine, protocol = what.protocol, home = what.home_name,
                     answer = std::move(answer)](std::expected<std::string, CallFailure> bytes) {
    if (!bytes) return answer(ErrorReply(protocol, FailureText(home, bytes.error())), {});
    const auto came = DecodeForwardAnswer(*bytes);
    // An answer in words that are not known here: it may have been carried out.
    if (!came) return answer(ErrorReply(protocol, FailureText(home, CallFailure::kNoAnswer)), {});
    if (came->outcome == ForwardOutcome::kBad) {
      return answer(ErrorReply(protocol, FailureText(home, CallFailure::kUnknown)), {});
    }
    if (came->outcome == ForwardOutcome::kBehind) {
      return answer(ErrorReply(protocol, "HOMEDOWN " + home +
                                             " is the home of this unit and has not heard of it "
                                             "yet: nothing was written; try again"),
                    {});
    }
    if (came->outcome == ForwardOutcome::kUnknown) {
      return answer(ErrorReply(protocol, FailureText(home, CallFailure::kNoAnswer)), {});
    }
    std::string reply(came->reply);
    const Dot wrote = came->last_write;
    if (Raw(wrote.seq) == 0) return answer(std::move(reply), wrote);
    CutWait wait;
    wait.cut.Raise(wrote);
    wait.deadline_mono_ms = NowMonoMs() + kLocalWaitMs;
    wait.done = [answer, reply = std::move(reply), wrote](bool) { answer(reply, wrote); };
    engine.Submit(std::move(wait));
  };
  calls.Call(what.to, std::string(kForwardVerb), std::move(what.body), kForwardMs, done);
}

CallHandler ForwardHandler(Engine& engine) {
  return [&engine](CallTask task, CallAnswerer answer) {
    auto work = std::make_unique<ForwardedJob::Work>();
    work->body = std::move(task.body);
    auto forwarded = DecodeForward(work->body);
    if (!forwarded || !MayBeForwarded(*forwarded)) {
      return answer(EncodeForwardAnswer({.outcome = ForwardOutcome::kBad}));
    }
    work->forwarded = std::move(*forwarded);
    work->deadline_mono_ms = task.deadline_mono_ms;
    work->answer = std::move(answer);
    work->engine = &engine;
    engine.Submit(std::make_unique<ForwardedJob>(std::move(work)));
  };
}

}  // namespace hawser::redis
