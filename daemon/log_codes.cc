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
    LogCode{
        code::kConfigBad, "error", "A setting of a reload is wrong; all of the reload is refused.",
        "Mend the setting at `where`, then reload again. The old configuration stays in effect."},
    LogCode{code::kConfigReloaded, "info", "A reload was taken.", "None."},
    LogCode{code::kConfigNeedsRestart, "warning", "Settings changed that are read only at a start.",
            "Restart when it suits; until then the old values hold."},
    LogCode{code::kConfigWarning, "warning",
            "A legal setting that likely does not do what was meant.", "Read `reason`."},
    LogCode{code::kStoreOpened, "info", "The store is open and its journal replayed.", "None."},
    LogCode{code::kStoreFailed, "error",
            "The store cannot be opened, or a commit failed. Exit code 74, or 75 after a failed "
            "commit.",
            "Read `reason`: look at the disk, free space, or name the right directory. Nothing was "
            "changed "
            "by a failed opening."},
    LogCode{code::kStoreLocked, "error", "Another process has the store. Exit code 75.",
            "Stop the other hawserd, or give this one a directory of its own."},
    LogCode{code::kStoreRolledBack, "error",
            "A peer holds more of this region's log, or another log, than this store: it is an "
            "older copy. "
            "Exit code 74; the store was not touched.",
            "Put the newer copy back. If there is none, move the store away and start empty: this "
            "region "
            "then begins a new incarnation, and what only the lost store held is lost."},
    LogCode{code::kListenFailed, "error", "An address cannot be listened on. Exit code 75.",
            "Free the port, or change the address in the configuration."},
    LogCode{code::kLinkFailed, "error",
            "The options of the NATS connections are unusable. Exit code 78.",
            "Read `reason`; check [[regions]] nats and credentials."},
    LogCode{
        code::kPeerState, "warning", "The link to a peer changed its state.",
        "down: look at the network and at the peer. held: its clock or its software is ahead, see "
        "`reason`. stale: it was away past the journal's bound."},
    LogCode{code::kClockStepped, "warning",
            "The wall clock jumped by more than max_clock_skew and is not followed.",
            "Mend time synchronization of this machine."},
    LogCode{
        code::kWritesRefused, "error", "Local writes are refused; reads go on.",
        "Read `reason`. full: free or add disk, or raise storage.journal_max; it heals by itself."},
    LogCode{code::kWritesTaken, "info", "Local writes are taken again.", "None."},
    LogCode{code::kEngineStuck, "error", "The engine's loop stands still; the watchdog is not fed.",
            "Look at the disk first: a commit that does not return holds the loop."},
    LogCode{code::kEngineEnded, "error", "The engine ended the process, see `reason`.",
            "The service manager starts it again; if it repeats, look at the disk."},
};

}  // namespace

std::span<const LogCode> LogCodes() {
  return kCodes;
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
