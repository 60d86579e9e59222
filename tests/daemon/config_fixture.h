#pragma once

// A directory of configuration files that goes away again, and configurations to start from.

#include <filesystem>
#include <string>
#include <string_view>

#include "daemon/config/load.h"

namespace hawser::config {

class ConfigDir {
 public:
  ConfigDir();
  ~ConfigDir();
  ConfigDir(const ConfigDir&) = delete;
  ConfigDir& operator=(const ConfigDir&) = delete;

  // Writes `name` below the directory and returns its path.
  std::string Write(const std::string& name, std::string_view text);
  std::string path(const std::string& name) const { return (directory_ / name).string(); }
  // Loads `text` as the one file c.toml.
  std::expected<Loaded, Problems> LoadText(std::string_view text);

 private:
  std::filesystem::path directory_;
};

// The smallest good configuration: lines 1 to 8.
inline const std::string kMinimal =
    "[cluster]\n"
    "name = \"shop\"\n"
    "[region]\n"
    "name = \"us-east\"\n"
    "[[regions]]\n"
    "name = \"us-east\"\n"
    "id = 1\n"
    "nats = [\"nats://127.0.0.1:4222\"]\n";

// `text` with the first `from` replaced; `from` must be there.
std::string Replaced(std::string text, std::string_view from, std::string_view to);

// All problems as one text, one a line.
std::string Joined(const Problems& problems);

std::string FileText(const std::string& path);

}  // namespace hawser::config
