#include <doctest/doctest.h>

#include <vector>

#include "daemon/arguments.h"

namespace hawser {
namespace {

using Mode = Arguments::Mode;
std::expected<Arguments, std::string> Parse(std::vector<std::string_view> words) {
  return ParseArguments(words);
}

}  // namespace

TEST_CASE("the daemon runs with or without a named file, and knows its modes") {
  CHECK(Parse({})->mode == Mode::kRun);
  CHECK(Parse({"--config", "/c"})->config_file == "/c");
  CHECK(Parse({"--config=/c", "--check"})->config_file == "/c");
  CHECK(Parse({"--check", "--config", "/c"})->mode == Mode::kCheck);
  CHECK(Parse({"--print-config"})->mode == Mode::kPrintConfig);
  CHECK(Parse({"--print-sample"})->mode == Mode::kPrintSample);
  CHECK(Parse({"--version"})->mode == Mode::kVersion);
}

TEST_CASE("a wrong argument is named, with the near miss") {
  CHECK(Parse({"--chek"}).error().find("did you mean --check?") != std::string::npos);
  CHECK(Parse({"--conf", "/c"}).error().find("did you mean --config?") != std::string::npos);
  CHECK(Parse({"/etc/hawser.toml"}).error().find("see --help") != std::string::npos);
  CHECK(Parse({"--config"}).error().find("needs a file") != std::string::npos);
  CHECK(Parse({"--config="}).error().find("needs a file") != std::string::npos);
  CHECK(Parse({"--config", "/a", "--config", "/b"}).error().find("twice") != std::string::npos);
  CHECK(Parse({"--check", "--version"}).error().find("exclude each other") != std::string::npos);
}

}  // namespace hawser
