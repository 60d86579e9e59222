#pragma once

// The keys that commands write, looked up for the homes of their units.

#include <span>
#include <string_view>

#include "daemon/redis/bundle.h"
#include "daemon/redis/command.h"
#include "homing/home.h"

namespace hawser::redis {

void AddKeys(const Command& command, std::span<const std::string_view> args, HomeFinder& finder);
// Of all commands in it that write; of those that read, too.
void AddKeys(Bundle& bundle, bool reads_too, HomeFinder& finder);

}  // namespace hawser::redis
