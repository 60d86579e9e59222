#pragma once

// The subjects of messages between regions, `hw.<cluster>.0.…`; docs/formats.md, section 4.
// Threads: free functions.

#include <optional>
#include <string>
#include <string_view>

#include "conflict/types.h"

namespace hawser {

// One part of a subject that NATS takes as it is: letters, digits, '-' and '_', not empty.
bool IsSubjectToken(std::string_view text);

std::string SubjectPrefix(std::string_view cluster);  // with the dot at its end
std::string LogSubject(std::string_view prefix, std::string_view region, Incarnation incarnation);

// The incarnation at the end of a log subject; nullopt unless it is 16 lower-case hex digits.
std::optional<Incarnation> LogSubjectIncarnation(std::string_view subject);

}  // namespace hawser
