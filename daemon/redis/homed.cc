#include "daemon/redis/homed.h"

#include "daemon/redis/key_name.h"

namespace hawser::redis {

void ForEachKey(const Command& command, std::span<const std::string_view> args,
                const std::function<void(std::string_view key)>& visit) {
  if (command.first_key == 0) return;
  const int count = static_cast<int>(args.size());
  const int last = command.last_key < 0 ? count + command.last_key : command.last_key;
  for (int i = command.first_key; i <= last && i < count; i += command.key_step) {
    visit(args[static_cast<std::size_t>(i)]);
  }
}

void AddKeys(const Command& command, std::span<const std::string_view> args, HomeFinder& finder) {
  ForEachKey(command, args, [&](std::string_view key) {
    // What is no key is refused where the command runs.
    if (const auto name = ParseKeyName(key)) finder.Add(name->table, name->key);
  });
}

void AddKeys(Bundle& bundle, bool reads_too, HomeFinder& finder) {
  for (std::size_t i = 0; i < bundle.size(); ++i) {
    if (reads_too || bundle.command(i).place == Place::kWrite) {
      AddKeys(bundle.command(i), bundle.args(i), finder);
    }
  }
}

}  // namespace hawser::redis
