#include "tests/daemon/config_fixture.h"

#include <unistd.h>

#include <fstream>
#include <sstream>

#include "conflict/assert.h"

namespace hawser::config {

ConfigDir::ConfigDir() {
  std::string name = (std::filesystem::temp_directory_path() / "hawser-config-XXXXXX").string();
  HW_ASSERT(mkdtemp(name.data()) != nullptr);
  directory_ = name;
}

ConfigDir::~ConfigDir() {
  std::filesystem::remove_all(directory_);
}

std::string ConfigDir::Write(const std::string& name, std::string_view text) {
  const std::filesystem::path file = directory_ / name;
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
  return file.string();
}

std::expected<Loaded, Problems> ConfigDir::LoadText(std::string_view text) {
  return Load({.file = Write("c.toml", text)});
}

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  HW_ASSERT(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::string Joined(const Problems& problems) {
  std::string all;
  for (const Problem& problem : problems) all += Text(problem) + '\n';
  return all;
}

std::string FileText(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  HW_ASSERT(in.good());
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace hawser::config
