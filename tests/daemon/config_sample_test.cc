#include <doctest/doctest.h>

#include "daemon/config/keys.h"
#include "daemon/config/print.h"
#include "tests/daemon/config_fixture.h"

namespace hawser::config {
namespace {

const std::string kSamplePath = HAWSER_SOURCE_DIR "/conf/hawser.toml";

// The sample with every section and key that stands commented out switched on.
std::string SwitchedOn(const std::string& sample) {
  std::string out;
  std::size_t at = 0;
  while (at < sample.size()) {
    const std::size_t end = sample.find('\n', at) + 1;
    std::string line = sample.substr(at, end - at);
    if (line.size() > 1 && line[0] == '#' && line[1] != ' ') line.erase(0, 1);
    out += line;
    at = end;
  }
  return out;
}

}  // namespace

TEST_CASE(
    "the sample file is what the key table says (write it anew with hawserd --print-sample)") {
  CHECK(FileText(kSamplePath) == SampleFile());
}

TEST_CASE("the sample names every key with its meaning and default") {
  const std::string sample = FileText(kSamplePath);
  for (const Key& key : Keys()) {
    CAPTURE(key.section);
    CAPTURE(key.name);
    CHECK_FALSE(key.meaning.empty());
    CHECK(sample.find(std::string(key.name) + " = ") != std::string::npos);
    // Comments are broken at a width: compare without breaks.
    std::string flat;
    for (std::size_t i = 0; i < sample.size(); ++i) {
      if (sample.compare(i, 3, "\n# ") == 0) {
        flat += ' ';
        i += 2;
      } else {
        flat += sample[i];
      }
    }
    CHECK(flat.find(std::string(key.meaning) + " [") != std::string::npos);
    if (!key.fallback.empty())
      CHECK(flat.find("default: " + std::string(key.fallback) + ";") != std::string::npos);
  }
}

TEST_CASE("the sample as it stands is a good configuration, and equals the defaults") {
  ConfigDir dir;
  const auto sample = Load({.file = kSamplePath});
  if (!sample) FAIL(Joined(sample.error()));
  const auto minimal = dir.LoadText(
      kMinimal + "[[regions]]\nname = \"eu-west\"\nid = 2\nnats = [\"nats://127.0.0.1:4222\"]\n");
  REQUIRE(minimal);
  CHECK(ChangedKeys(sample->settings, minimal->settings).empty());
  CHECK(sample->config.storage.journal_max == 16ull << 30);
  CHECK(sample->config.wan.beat_interval_ms == 200);
}

TEST_CASE("every example that stands commented out in the sample is legal once switched on") {
  ConfigDir dir;
  std::string text = SwitchedOn(FileText(kSamplePath));
  text = Replaced(text, "default_home = \"eu-west\"\n", "");  // wants placement = "homed"
  text = Replaced(text, "min = 0\n", "");                     // wants resolve = "counter"
  const auto loaded = dir.LoadText(text);
  if (!loaded) FAIL(Joined(loaded.error()));
  CHECK(loaded->config.tables.size() == 1);
  CHECK(loaded->config.unique.size() == 1);
  CHECK(loaded->config.tokens.size() == 1);
  CHECK(loaded->config.regions[0].credentials == "nats.creds");
}

TEST_CASE("each default obeys the bounds of its key") {
  ConfigDir dir;
  const auto loaded = dir.LoadText(kMinimal);
  REQUIRE(loaded);
  for (const Element& element : loaded->settings.elements) {
    for (const Setting& setting : element.settings) {
      if (setting.key->max == 0) continue;
      CAPTURE(setting.key->name);
      CHECK(setting.value.number >= setting.key->min);
      CHECK(setting.value.number <= setting.key->max);
    }
  }
}

}  // namespace hawser::config
