// Feeds a fuzz target deterministic mutations of its seeds: NAME_fuzz_test [COUNT [SEED]]; or
// writes the seeds as files, for libFuzzer: NAME_fuzz_test --write-seeds FOLDER. A crash names the
// input's number; the same numbers give the same inputs.

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <unistd.h>

#include "tests/fuzz/fuzz.h"

namespace {

constexpr std::size_t kInputBytesMax = 300 * 1024;

std::uint64_t g_number = 0;

void SayWhichInput(int signal) {
  char text[64];
  const int size = std::snprintf(text, sizeof text, "fuzz: died on input %llu\n",
                                 static_cast<unsigned long long>(g_number));
  if (size > 0 && write(2, text, static_cast<std::size_t>(size)) < 0) _exit(3);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed) {}

  std::string Next(const std::vector<std::string>& seeds) {
    std::string input = seeds[Below(seeds.size())];
    for (std::size_t left = Below(6); left > 0; --left) Mutate(input, seeds);
    if (input.size() > kInputBytesMax) input.resize(kInputBytesMax);
    return input;
  }

 private:
  std::size_t Below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }

  void Mutate(std::string& input, const std::vector<std::string>& seeds) {
    const std::size_t at = Below(input.size() + 1);
    switch (Below(8)) {
      case 0:
        input.resize(at);
        break;
      case 1:
        if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << Below(8)));
        break;
      case 2:
        if (at < input.size()) input[at] = static_cast<char>(random_());
        break;
      case 3: {  // bytes that lengths are made of
        static constexpr char kEdges[] = {'\x00', '\x01', '\x7f', '\x80', '\xff'};
        input.insert(at, 1 + Below(10), kEdges[Below(sizeof kEdges)]);
        break;
      }
      case 4:
        input.erase(at, 1 + Below(16));
        break;
      case 5:  // a piece of it once more
        input.insert(Below(input.size() + 1), input.substr(at, 1 + Below(64)));
        break;
      case 6: {  // another seed's tail
        const std::string& other = seeds[Below(seeds.size())];
        input.resize(at);
        input += other.substr(Below(other.size() + 1));
        break;
      }
      default:
        input.insert(at, std::string(1 + Below(32), static_cast<char>(random_())));
        break;
    }
  }

  std::mt19937_64 random_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string(argv[1]) == "--write-seeds") {
    int number = 0;
    for (const std::string& input : hawser::test::FuzzSeeds()) {
      std::ofstream(std::string(argv[2]) + "/seed-" + std::to_string(number++)) << input;
    }
    return 0;
  }
  const std::uint64_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 20'000;
  const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  std::signal(SIGSEGV, SayWhichInput);
  std::signal(SIGABRT, SayWhichInput);
  const std::vector<std::string> seeds = hawser::test::FuzzSeeds();
  if (seeds.empty()) return 2;
  std::size_t accepted = 0;
  for (const std::string& input : seeds) {
    accepted += LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()),
                                       input.size()) == 0;
  }
  Mutator mutator(seed);
  for (g_number = 1; g_number <= count; ++g_number) {
    const std::string input = mutator.Next(seeds);
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  }
  std::printf("fuzz: %zu seeds, %llu mutations of them, seed %llu\n", accepted,
              static_cast<unsigned long long>(count), static_cast<unsigned long long>(seed));
  return 0;
}
