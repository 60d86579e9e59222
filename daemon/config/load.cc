#include "daemon/config/load.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>

#include "daemon/config/check.h"
#include "daemon/config/reading.h"

namespace hawser::config {
namespace {

constexpr std::size_t kFileBytesMax = 4 * 1024 * 1024;

std::expected<std::string, std::string> ReadWhole(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return std::unexpected("is a directory; name a file");
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::unexpected("cannot be read: " + std::string(std::strerror(errno)));
  std::string text;
  text.resize(kFileBytesMax + 1);
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad()) return std::unexpected("cannot be read: " + std::string(std::strerror(errno)));
  if (text.size() > kFileBytesMax)
    return std::unexpected("is larger than 4 MiB; that is no configuration");
  return text;
}

void TakeFile(const std::string& path, std::string_view if_missing, Settings& settings,
              Problems& problems) {
  const Source whole{Source::Kind::kFile, path, 0};
  const auto text = ReadWhole(path);
  if (!text) {
    problems.push_back({whole, "", text.error() + std::string(if_missing)});
    return;
  }
  const auto root = ParseToml(*text);
  if (!root) {
    problems.push_back({{Source::Kind::kFile, path, root.error().line},
                        "",
                        "not valid TOML: " + root.error().text + "; mend this line"});
    return;
  }
  TakeDocument(*root, path, settings, problems);
}

std::vector<std::string> FilesOf(const std::string& directory) {
  std::vector<std::string> files;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error)) {
    if (at->path().extension() == ".toml") files.push_back(at->path().string());
  }
  std::ranges::sort(files);
  return files;
}

void TakeFiles(const LoadOptions& options, Settings& settings, Problems& problems) {
  if (!options.file.empty()) {
    TakeFile(options.file, "; check the path after --config", settings, problems);
    return;
  }
  TakeFile(options.directory + "/hawser.toml",
           "; write it (start from the sample, hawserd --print-sample) "
           "or name another with --config",
           settings, problems);
  for (const std::string& file : FilesOf(options.directory + "/conf.d")) {
    TakeFile(file, "", settings, problems);
  }
}

// Fills in what was not said, in the order of the table; says what is missing.
void Complete(Element& element, Problems& problems) {
  std::vector<Setting> complete;
  for (const Key* key : KeysOf(element.section->name)) {
    if (const Setting* said = element.Find(key->name)) {
      complete.push_back(*said);
    } else if (key->required) {
      const std::string path = std::string(key->section) + '.' + std::string(key->name);
      problems.push_back(
          {element.source, path,
           "is missing; write " + std::string(key->name) + " = " + std::string(key->example)});
    } else if (!key->fallback.empty()) {
      const auto document = ParseToml("v = " + std::string(key->fallback));
      complete.push_back({key, *ReadValue(*key, *document->Find("v")), {}});
    }
  }
  element.settings = std::move(complete);
  for (Element& child : element.children) Complete(child, problems);
}

// All sections there are, in the order of the table.
void Complete(Settings& settings, const std::string& main_file, Problems& problems) {
  Settings ordered;
  for (const Section& section : Sections()) {
    if (section.kind == Section::Kind::kOne) settings.One(section);
    for (Element& element : settings.elements) {
      if (element.section != &section) continue;
      if (element.source.kind == Source::Kind::kDefault) {
        element.source = {Source::Kind::kFile, main_file, 0};  // where what is missing belongs
      }
      ordered.elements.push_back(std::move(element));
      Complete(ordered.elements.back(), problems);
    }
  }
  settings = std::move(ordered);
}

void Store(const Element& element, Config& config) {
  if (element.section->begin != nullptr) element.section->begin(config, element.name);
  for (const Setting& setting : element.settings) setting.key->store(config, setting.value);
  for (const Element& child : element.children) Store(child, config);
}

void Flatten(const Element& element, std::vector<std::pair<const Key*, std::string>>& out) {
  for (const Setting& setting : element.settings) {
    out.emplace_back(setting.key, element.name + '=' + Render(*setting.key, setting.value));
  }
  for (const Element& child : element.children) Flatten(child, out);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> HawserEnvironment() {
  std::vector<std::pair<std::string, std::string>> variables;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view entry = *at;
    const std::size_t equals = entry.find('=');
    if (!entry.starts_with("HAWSER_") || equals == std::string_view::npos) continue;
    variables.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
  }
  std::ranges::sort(variables);
  return variables;
}

std::expected<Loaded, Problems> Load(const LoadOptions& options) {
  Loaded loaded;
  Problems problems;
  TakeFiles(options, loaded.settings, problems);
  const bool unreadable =
      std::ranges::any_of(problems, [](const Problem& problem) { return problem.key.empty(); });
  for (const auto& [name, text] : options.environment) {
    TakeVariable(name, text, loaded.settings, problems);
  }
  // Half a configuration would only bring up problems that are none.
  if (unreadable) return std::unexpected(std::move(problems));
  const std::string main_file =
      options.file.empty() ? options.directory + "/hawser.toml" : options.file;
  Complete(loaded.settings, main_file, problems);
  // Rules between keys are judged only where each key by itself is fine.
  if (!problems.empty()) return std::unexpected(std::move(problems));
  for (const Element& element : loaded.settings.elements) Store(element, loaded.config);
  CheckTogether(loaded.settings, loaded.config, problems);
  if (!problems.empty()) return std::unexpected(std::move(problems));
  Conclude(loaded.settings, loaded.config);
  return loaded;
}

std::vector<const Key*> ChangedKeys(const Settings& before, const Settings& after) {
  std::vector<std::pair<const Key*, std::string>> was, is;
  for (const Element& element : before.elements) Flatten(element, was);
  for (const Element& element : after.elements) Flatten(element, is);
  std::vector<const Key*> changed;
  for (const Section& section : Sections()) {
    for (const Key* key : KeysOf(section.name)) {
      std::vector<std::string> one, other;
      for (const auto& [k, text] : was)
        if (k == key) one.push_back(text);
      for (const auto& [k, text] : is)
        if (k == key) other.push_back(text);
      if (one != other) changed.push_back(key);
    }
  }
  return changed;
}

}  // namespace hawser::config
