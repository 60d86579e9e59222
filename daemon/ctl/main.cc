// hawserctl: the control tool.

#include <cstdio>

#include "daemon/ctl/commands.h"
#include "daemon/ctl/options.h"

int main(int argc, char** argv) {
  const hawser::ctl::Parsed parsed = hawser::ctl::ParseOptions(argc, argv);
  if (parsed.options) return static_cast<int>(hawser::ctl::Execute(*parsed.options));
  std::fputs(parsed.text.c_str(), parsed.to_stderr ? stderr : stdout);
  return parsed.exit_code;
}
