#pragma once

// The keys of commands, and the homes of their units.

#include <functional>
#include <span>
#include <string_view>

#include "daemon/redis/bundle.h"
#include "daemon/redis/command.h"
#include "homing/home.h"

namespace hawser::redis {

// The arguments of a command that are keys, or should be.
void ForEachKey(const Command& command, std::span<const std::string_view> args,
                const std::function<void(std::string_view key)>& visit);

void AddKeys(const Command& command, std::span<const std::string_view> args, HomeFinder& finder);
// Of all commands in it that write; of those that read, too.
void AddKeys(Bundle& bundle, bool reads_too, HomeFinder& finder);

}  // namespace hawser::redis
