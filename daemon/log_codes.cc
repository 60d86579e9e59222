#include "daemon/log_codes.h"

#include <array>

namespace hawser {
namespace {

constexpr std::array kCodes = {
    LogCode{code::kStarting, "info", "The daemon starts; its configuration is good.", "None."},
    LogCode{code::kReady, "info", "The store is recovered and all listeners take connections.",
            "None."},
    LogCode{code::kStopping, "info", "A signal or an error ends the daemon; nothing new is taken.",
            "None."},
    LogCode{code::kStopped, "info", "Everything taken was committed and answered.", "None."},
    LogCode{code::kConfigBad, "error",
            "A setting is wrong. At a reload, all of it is refused and the old configuration stays "
            "in effect; at a start, exit code 78.",
            "Mend the setting at `where`, then reload or start again."},
    LogCode{code::kConfigReloaded, "info", "A reload was taken.", "None."},
    LogCode{code::kConfigNeedsRestart, "warning", "Settings changed that are read only at a start.",
            "Restart when it suits; until then the old values hold."},
    LogCode{code::kSchemaContradicts, "error",
            "What [[tables]] says at `where` differs from what was declared first, here or in "
            "another region. At a reload the old configuration stays in effect; at a start, exit "
            "code 78.",
            "Put the declared rule back, `reason` names it; a rule does not change under existing "
            "data. New states may be added to an order."},
    LogCode{code::kSchemaOverruled, "error",
            "Another region declared a field before this one, and otherwise: its rule holds here "
            "too, whatever `where` says. The next start with this configuration fails with 78.",
            "Agree on one rule and bring the configurations to the one that `reason` names."},
    LogCode{code::kSchemaAgrees, "info",
            "The configuration contradicts nothing that is declared any more.", "None."},
    LogCode{code::kSchemaOlder, "warning",
            "Another region added states to an order; they hold here too, but the configuration "
            "does not name them.",
            "Bring the configuration up to the line in `reason`, at the next occasion."},
    LogCode{code::kSchemaNotDeclared, "warning",
            "The rules of [[tables]] could not be told to the other regions yet. At a start they "
            "hold here meanwhile, and it is tried again; a reload is refused.",
            "Make room, see `reason`."},
    LogCode{code::kStoreOpened, "info", "The store is open and its journal replayed.", "None."},
    LogCode{code::kStoreFailed, "error",
            "The store cannot be opened: exit code 74, nothing was changed. Or a commit failed: "
            "exit code 75, the next start opens and verifies it.",
            "Read `reason`: look at the disk and its free space, or name the right directory."},
    LogCode{code::kStoreLocked, "error", "Another process has the store. Exit code 75.",
            "Stop the other hawserd, or give this one a directory of its own."},
    LogCode{
        code::kStoreRolledBack, "error",
        "A peer holds more of this region's log, or another log, than this store: it is an older "
        "copy, or a new one in its place. Exit code 74; its records and log are as they were.",
        "Put the newest copy back. Without one keep this region stopped: an empty store is refused "
        "in the same way until joining anew comes with a later version. The other regions go on "
        "with what they hold."},
    LogCode{code::kListenFailed, "error", "An address cannot be listened on. Exit code 75.",
            "Free the port, or change the address in the configuration."},
    LogCode{code::kLinkFailed, "error",
            "The options of the NATS connections are unusable. Exit code 78.",
            "Read the `nats` line before it; check [[regions]] nats and credentials."},
    LogCode{code::kNats, "info to error", "What happens on the connections to NATS servers.",
            "Read `text`. Writes go on without NATS; what was missed is fetched."},
    LogCode{code::kPeerUp, "info", "A region is heard again.", "None."},
    LogCode{code::kPeerDown, "warning", "A region is not heard. Writes go on here.",
            "Look at the network, at that region's NATS and at its daemon."},
    LogCode{code::kPeerHeld, "error", "Nothing is taken of a region's log, for the reason given.",
            "Mostly a wrong clock, or newer software there: mend the clock, or upgrade here."},
    LogCode{code::kPeerStale, "error",
            "A region was away so long that the journal no longer keeps what it misses.",
            "Joining by snapshot comes with a later version. Raise storage.journal_max before a "
            "long absence."},
    LogCode{code::kReceivingPaused, "error",
            "There is no room: nothing is taken from other regions.",
            "Free or add disk, or raise storage.journal_max; it heals by itself."},
    LogCode{code::kReceivingResumed, "info", "There is room again.", "None."},
    LogCode{code::kClockStepped, "warning",
            "The wall clock jumped by more than max_clock_skew and is not followed.",
            "Mend time synchronization of this machine."},
    LogCode{code::kClockSteady, "info", "The wall clock agrees with the steady clock again.",
            "None."},
    LogCode{
        code::kWritesRefused, "error", "Local writes are refused; reads go on.",
        "Read `reason`. full: free or add disk, or raise storage.journal_max; it heals by itself."},
    LogCode{code::kWritesTaken, "info", "Local writes are taken again.", "None."},
    LogCode{code::kEngineStuck, "error", "The engine's loop stands still; the watchdog is not fed.",
            "Look at the disk first: a commit that does not return holds the loop."},
    LogCode{code::kEngineMoves, "info", "The engine's loop turns again.", "None."},
    LogCode{code::kRemark, "info", "A remark without a code of its own.", "Read `text`."},
};

}  // namespace

std::span<const LogCode> LogCodes() {
  return kCodes;
}

const LogCode* FindLogCode(std::string_view code) {
  for (const LogCode& entry : kCodes) {
    if (entry.code == code) return &entry;
  }
  return nullptr;
}

std::string LogCodesPage() {
  std::string page =
      "# Log codes\n\n"
      "Each line of the log carries a `code`; codes do not change their meaning between versions.\n"
      "This page is made from `daemon/log_codes.cc`.\n\n"
      "| code | level | meaning | what to do |\n|---|---|---|---|\n";
  for (const LogCode& entry : kCodes) {
    page += "| `" + std::string(entry.code) + "` | " + std::string(entry.level) + " | " +
            std::string(entry.meaning) + " | " + std::string(entry.action) + " |\n";
  }
  return page;
}

}  // namespace hawser
