#pragma once

// Every code that stands in a log line, with its meaning and what to do. Codes are stable: alerts
// and people match on them. docs/log-codes.md is made from this table (a test compares them).
// Threads: constants.

#include <span>
#include <string>
#include <string_view>

namespace hawser {

namespace code {
inline constexpr std::string_view kStarting = "starting";
inline constexpr std::string_view kReady = "ready";
inline constexpr std::string_view kStopping = "stopping";
inline constexpr std::string_view kStopped = "stopped";
inline constexpr std::string_view kConfigBad = "config_bad";
inline constexpr std::string_view kConfigReloaded = "config_reloaded";
inline constexpr std::string_view kConfigNeedsRestart = "config_needs_restart";
inline constexpr std::string_view kSchemaContradicts = "schema_contradicts";
inline constexpr std::string_view kSchemaNotDeclared = "schema_not_declared";
inline constexpr std::string_view kSchemaOverruled = "schema_overruled";
inline constexpr std::string_view kSchemaAgrees = "schema_agrees";
inline constexpr std::string_view kSchemaOlder = "schema_older";
inline constexpr std::string_view kStoreOpened = "store_opened";
inline constexpr std::string_view kStoreFailed = "store_failed";
inline constexpr std::string_view kStoreLocked = "store_locked";
inline constexpr std::string_view kStoreRolledBack = "store_rolled_back";
inline constexpr std::string_view kListenFailed = "listen_failed";
inline constexpr std::string_view kLinkFailed = "link_failed";
inline constexpr std::string_view kNats = "nats";
inline constexpr std::string_view kPeerUp = "peer_up";
inline constexpr std::string_view kPeerDown = "peer_down";
inline constexpr std::string_view kPeerHeld = "peer_held";
inline constexpr std::string_view kPeerStale = "peer_stale";
inline constexpr std::string_view kReceivingPaused = "receiving_paused";
inline constexpr std::string_view kReceivingResumed = "receiving_resumed";
inline constexpr std::string_view kClockStepped = "clock_stepped";
inline constexpr std::string_view kClockSteady = "clock_steady";
inline constexpr std::string_view kWritesRefused = "writes_refused";
inline constexpr std::string_view kWritesTaken = "writes_taken";
inline constexpr std::string_view kEngineStuck = "engine_stuck";
inline constexpr std::string_view kEngineMoves = "engine_moves";
inline constexpr std::string_view kRemark = "remark";
}  // namespace code

struct LogCode {
  std::string_view code;
  std::string_view level;  // the usual one
  std::string_view meaning;
  std::string_view action;
};

std::span<const LogCode> LogCodes();
// The row of `code`; null if it has none.
const LogCode* FindLogCode(std::string_view code);
// The page docs/log-codes.md.
std::string LogCodesPage();

}  // namespace hawser
