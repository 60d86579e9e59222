// hawserd: one region's gateway.

#include <cstdio>
#include <string_view>
#include <vector>

#include "daemon/arguments.h"
#include "daemon/config/load.h"
#include "daemon/config/print.h"
#include "daemon/config/secret.h"
#include "daemon/exit_codes.h"
#include "daemon/run.h"
#include "daemon/version.h"

namespace hawser {
namespace {

void Print(std::string_view text, std::FILE* to = stdout) {
  std::fwrite(text.data(), 1, text.size(), to);
}

void PrintAll(const config::Problems& problems, std::string_view prefix) {
  for (const config::Problem& problem : problems)
    Print(std::string(prefix) + Text(problem) + '\n', stderr);
}

// Secrets may be on another machine than the one that checks, or come with the service: a warning.
void WarnOfSecrets(const Config& config) {
  for (const TokenConfig& token : config.tokens) {
    const auto secret = config::ReadSecret(token.file);
    if (!secret)
      Print("hawserd: warning: token \"" + token.name + "\": " + secret.error() + '\n', stderr);
  }
}

int Main(const Arguments& arguments) {
  using Mode = Arguments::Mode;
  switch (arguments.mode) {
    case Mode::kHelp:
      Print(kUsage);
      return kExitOk;
    case Mode::kVersion:
      Print("hawserd " + std::string(kVersion) + '\n');
      return kExitOk;
    case Mode::kPrintSample:
      Print(config::SampleFile());
      return kExitOk;
    case Mode::kRun:
    case Mode::kCheck:
    case Mode::kPrintConfig:
      break;
  }
  const config::LoadOptions options{.file = arguments.config_file,
                                    .environment = config::HawserEnvironment()};
  auto loaded = config::Load(options);
  if (!loaded) {
    PrintAll(loaded.error(), "hawserd: ");
    const std::size_t count = loaded.error().size();
    Print("hawserd: bad configuration, " + std::to_string(count) +
              (count == 1 ? " problem; nothing was started\n" : " problems; nothing was started\n"),
          stderr);
    return kExitConfig;
  }
  if (arguments.mode == Mode::kPrintConfig) {
    Print(config::PrintConfig(loaded->settings));
    return kExitOk;
  }
  if (arguments.mode == Mode::kCheck) {
    WarnOfSecrets(loaded->config);
    Print("hawserd: the configuration is good\n");
    return kExitOk;
  }
  return Run(options, std::move(*loaded));
}

}  // namespace
}  // namespace hawser

int main(int argc, char** argv) {
  const std::vector<std::string_view> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  const auto arguments = hawser::ParseArguments(words);
  if (!arguments) {
    hawser::Print("hawserd: " + arguments.error() + "\n\n", stderr);
    hawser::Print(hawser::kUsage, stderr);
    return hawser::kExitUsage;
  }
  return hawser::Main(*arguments);
}
