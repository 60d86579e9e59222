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
inline constexpr std::string_view kConfigBad = "config-bad";
inline constexpr std::string_view kConfigReloaded = "config-reloaded";
inline constexpr std::string_view kConfigNeedsRestart = "config-needs-restart";
inline constexpr std::string_view kConfigWarning = "config-warning";
inline constexpr std::string_view kStoreOpened = "store-opened";
inline constexpr std::string_view kStoreFailed = "store-failed";
inline constexpr std::string_view kStoreLocked = "store-locked";
inline constexpr std::string_view kStoreRolledBack = "store-rolled-back";
inline constexpr std::string_view kListenFailed = "listen-failed";
inline constexpr std::string_view kLinkFailed = "link-failed";
inline constexpr std::string_view kPeerState = "peer-state";
inline constexpr std::string_view kClockStepped = "clock-stepped";
inline constexpr std::string_view kWritesRefused = "writes-refused";
inline constexpr std::string_view kWritesTaken = "writes-taken";
inline constexpr std::string_view kEngineStuck = "engine-stuck";
inline constexpr std::string_view kEngineEnded = "engine-ended";
}  // namespace code

struct LogCode {
  std::string_view code;
  std::string_view level;  // the usual one
  std::string_view meaning;
  std::string_view action;
};

std::span<const LogCode> LogCodes();
// The page docs/log-codes.md.
std::string LogCodesPage();

}  // namespace hawser
