#pragma once

// Exit codes of hawserd, after sysexits.h: what a service manager may do next.

namespace hawser {

inline constexpr int kExitOk = 0;
inline constexpr int kExitUsage = 64;     // wrong arguments
inline constexpr int kExitSoftware = 70;  // a defect of ours; restarting is fine
inline constexpr int kExitStorage =
    74;  // the store failed, is not ours, or was rolled back: look first
inline constexpr int kExitTryAgain =
    75;  // busy now: store locked, port taken, disk failed in a commit
inline constexpr int kExitConfig = 78;  // the configuration is wrong: mend it first

}  // namespace hawser
