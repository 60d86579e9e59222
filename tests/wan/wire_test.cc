// The wire format: what is sent is what arrives, its bytes stay what they were, and nothing that
// was damaged or made up passes for a message.

#include "wan/wire.h"

#include <doctest/doctest.h>
#include <google/protobuf/io/coded_stream.h>
#include <xxhash.h>
#include <zstd.h>

#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>

#include "tests/wan/wire_examples.h"
#include "wan/wire.pb.h"
#include "wan/wire_body.h"

using namespace hawser;
using namespace hawser::test;

namespace {

std::string Hex(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned char>(bytes[i]));
    out += digits;
    if (i % 32 == 31 || i + 1 == bytes.size()) out += '\n';
  }
  return out;
}

std::string Unhex(const std::string& text) {
  std::string out;
  std::istringstream in(text);
  for (std::string line; in >> line;) {
    for (std::size_t i = 0; i + 1 < line.size(); i += 2) {
      out.push_back(static_cast<char>(std::stoi(line.substr(i, 2), nullptr, 16)));
    }
  }
  return out;
}

std::string RandomBytes(std::size_t size, unsigned seed) {
  std::mt19937_64 random(seed);
  std::string out(size, '\0');
  for (char& byte : out) byte = static_cast<char>(random());
  return out;
}

// An envelope as a stranger could make it, with a checksum that is right.
std::string SealedBy(wire::Kind kind, const std::string& head, const std::string& sent_body,
                     std::uint32_t body_bytes = 0, const std::string* whole_body = nullptr) {
  const std::string& whole = whole_body != nullptr ? *whole_body : sent_body;
  wire::Envelope envelope;
  envelope.set_wire_version(kWireVersion);
  envelope.set_kind(kind);
  envelope.set_head(head);
  envelope.set_body_bytes(body_bytes);
  envelope.set_body(sent_body);
  const std::uint64_t seed = std::uint64_t{kWireVersion} << 32 | static_cast<std::uint64_t>(kind);
  envelope.set_checksum(XXH3_64bits_withSeed(whole.data(), whole.size(),
                                             XXH3_64bits_withSeed(head.data(), head.size(), seed)));
  return envelope.SerializeAsString();
}

wire::Batch HeadOf(std::uint32_t count) {
  wire::Batch head;
  head.mutable_origin()->set_region(3);
  head.mutable_origin()->set_incarnation(9);
  head.set_first(1);
  head.set_count(count);
  head.set_fragments(1);
  return head;
}

void CheckMalformed(const std::string& bytes) {
  const auto decoded = Decode(bytes);
  REQUIRE_FALSE(decoded.has_value());
  CHECK(decoded.error() == WireError::kMalformed);
}

}  // namespace

TEST_CASE("every message arrives as it was sent") {
  for (const auto& [name, message] : Examples()) {
    for (const bool compress : {true, false}) {
      CAPTURE(name);
      const auto decoded = Decode(Encode(message, {.compress = compress}));
      REQUIRE(decoded.has_value());
      CHECK(*decoded == message);
    }
  }
}

TEST_CASE("a message of default values arrives too, if its regions are named") {
  Beat beat;
  beat.report.own.origin.region = RegionId{63};
  Fetch fetch;
  fetch.from = RegionId{1};
  fetch.origin.region = RegionId{2};
  for (const Message& message : {Message{beat}, Message{fetch}}) {
    const auto decoded = Decode(Encode(message));
    REQUIRE(decoded.has_value());
    CHECK(*decoded == message);
  }
}

TEST_CASE("the bytes on the wire stay what they were") {
  for (const auto& [name, message] : Examples()) {
    CAPTURE(name);
    const std::string path = std::string(HAWSER_GOLDEN_DIR) + "/" + name + ".hex";
    if (std::getenv("HAWSER_GOLDEN_WRITE") != nullptr) {
      std::ofstream(path) << Hex(Encode(message));
    }
    std::ifstream file(path);
    REQUIRE(file.good());
    std::stringstream text;
    text << file.rdbuf();
    const std::string golden = Unhex(text.str());
    const auto decoded = Decode(golden);
    REQUIRE(decoded.has_value());
    CHECK(*decoded == message);
    // Another zstd may find other frames for the same body: for it, reading is what binds.
    if (name != "long_batch") CHECK(Hex(Encode(message)) == text.str());
  }
}

TEST_CASE("a body of text travels compressed, a random one as it is") {
  Batch text = ExampleLongBatch();
  CHECK(Encode(text).size() < text.body.size() / 2);
  CHECK(Encode(text, {.compress = false}).size() > text.body.size());

  Batch random = ExampleBatch();
  random.count = 1;
  random.body = RandomBytes(kBatchBodyBytesAim, 1);
  CHECK_FALSE(LooksCompressible(random.body));
  const std::string bytes = Encode(random);
  CHECK(bytes.size() < random.body.size() + 128);
  CHECK(Decode(bytes).value() == Message{random});
}

TEST_CASE("what looks compressible and is not travels as it is") {
  // 150 equally frequent values: coding single bytes saves just less than a tenth.
  Batch batch = ExampleBatch();
  batch.count = 1;
  batch.body.resize(16 * 1024);
  std::mt19937_64 random(2);
  for (char& byte : batch.body) byte = static_cast<char>(random() % 150);
  std::string compressed = "kept";
  CHECK(LooksCompressible(batch.body));
  CHECK_FALSE(AppendCompressed(batch.body, compressed));
  CHECK(compressed == "kept");
  const std::string bytes = Encode(batch);
  CHECK(bytes.size() < batch.body.size() + 128);
  CHECK(Decode(bytes).value() == Message{batch});
}

TEST_CASE("the same batch is the same bytes, whatever was encoded before") {
  const std::string first = Encode(ExampleLongBatch());
  for (unsigned i = 0; i < 50; ++i) {
    Batch other = ExampleLongBatch();
    other.body += RandomBytes(i * 100, i);
    Encode(other);
  }
  CHECK(Encode(ExampleLongBatch()) == first);
}

TEST_CASE("the largest fragment fits into a message, though it does not shrink") {
  Batch batch = ExampleBatch();
  batch.count = 1;
  batch.first = Seq{1ull << 62};
  batch.fetch_id = ~std::uint64_t{0};
  batch.fragment = kFragmentsMax - 1;
  batch.fragments = kFragmentsMax;
  batch.body = RandomBytes(kFragmentBytesMax, 3);
  const std::string bytes = Encode(batch);
  CHECK(bytes.size() <= kMessageBytesMax);
  CHECK(Decode(bytes).value() == Message{batch});
}

TEST_CASE(
    "a beat of a large cluster fits into a message; what does not fit of others' reports is left "
    "out") {
  Beat beat = ExampleBeat();
  Report report = ExampleReport(2);
  report.applied.assign(kReportLogsMax, {OriginOf(63, ~0ull), Seq{1ull << 62}, ~0ull});
  beat.report = report;
  beat.relayed.assign(kRelayedReportsMax, report);
  const std::string bytes = Encode(beat);
  CHECK(bytes.size() <= kMessageBytesMax);
  const auto decoded = Decode(bytes);
  REQUIRE(decoded.has_value());
  const Beat& heard = std::get<Beat>(*decoded);
  CHECK(heard.report == report);
  CHECK(heard.relayed.size() >= 15);
  CHECK(heard.relayed.size() < kRelayedReportsMax);
  for (const Report& relayed : heard.relayed) CHECK(relayed == report);
}

TEST_CASE("a message cut short at any length is no message") {
  for (const auto& [name, message] : Examples()) {
    const std::string bytes = Encode(message);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      CAPTURE(name);
      CAPTURE(size);
      CHECK_FALSE(Decode(std::string_view(bytes).substr(0, size)).has_value());
    }
  }
}

TEST_CASE("one flipped bit never changes what is heard") {
  std::size_t flips = 0;
  std::size_t harmless = 0;
  for (const auto& [name, message] : Examples()) {
    const std::string bytes = Encode(message);
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit, ++flips) {
      std::string flipped = bytes;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
      const auto decoded = Decode(flipped);
      if (!decoded.has_value()) continue;
      ++harmless;  // a padding bit of the zstd frame, for one
      CAPTURE(name);
      CAPTURE(bit);
      CHECK(*decoded == message);
    }
  }
  CHECK(flips > 10'000);
  CHECK(harmless < flips / 100);
}

TEST_CASE("fields of a later version are passed over") {
  wire::Envelope envelope;
  const std::string bytes = Encode(ExampleFetch());
  REQUIRE(envelope.ParseFromString(bytes));
  std::string more = bytes;
  more += std::string("\xf8\x07\x05", 3);     // field 127, varint 5
  more += std::string("\xf2\x07\x03xyz", 6);  // field 126, three bytes
  CHECK(Decode(more).value() == Message{ExampleFetch()});

  const std::string head = envelope.head() + std::string("\xf8\x07\x05", 3);
  CHECK(Decode(SealedBy(wire::KIND_FETCH, head, "")).value() == Message{ExampleFetch()});
}

TEST_CASE("a newer wire version or an unknown kind is called newer, not malformed") {
  std::string bytes = Encode(ExampleProbe());
  bytes[1] = static_cast<char>(kWireVersion + 1);
  CHECK(Decode(bytes).error() == WireError::kNewer);
  CHECK(Decode(bytes.substr(0, 2)).error() == WireError::kNewer);
  CHECK(Decode(bytes.substr(0, 2) + "anything").error() == WireError::kNewer);

  CHECK(Decode(SealedBy(static_cast<wire::Kind>(99), "head", "body of it")).error() ==
        WireError::kNewer);
  CheckMalformed(SealedBy(wire::KIND_NONE, "", ""));
}

TEST_CASE("a second version field does not talk its way in") {
  CheckMalformed(Encode(ExampleProbe()) + std::string("\x08\x02", 2));
}

TEST_CASE("a body that claims to be huge is refused before memory is asked for") {
  const std::string head = HeadOf(1).SerializeAsString();
  const std::string zeros(64 * 1024 * 1024, '\0');
  std::string bomb(ZSTD_compressBound(zeros.size()), '\0');
  bomb.resize(ZSTD_compress(bomb.data(), bomb.size(), zeros.data(), zeros.size(), 1));
  REQUIRE(bomb.size() < kMessageBytesMax);
  CheckMalformed(SealedBy(wire::KIND_BATCH, head, bomb, 64 * 1024 * 1024, &zeros));
  CheckMalformed(SealedBy(wire::KIND_BATCH, head, bomb, kBodyBytesMax, &zeros));
  CheckMalformed(SealedBy(wire::KIND_BATCH, head, bomb, 0xffffffff, &zeros));

  // A frame that does not say its size, or says less than it holds.
  const std::string body(4096, 'x');
  std::string frame(ZSTD_compressBound(body.size()), '\0');
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  frame.resize(ZSTD_compress2(context, frame.data(), frame.size(), body.data(), body.size()));
  ZSTD_freeCCtx(context);
  CheckMalformed(SealedBy(wire::KIND_BATCH, head, frame, 4096, &body));
  std::string honest(ZSTD_compressBound(body.size()), '\0');
  honest.resize(ZSTD_compress(honest.data(), honest.size(), body.data(), body.size(), 1));
  CHECK(Decode(SealedBy(wire::KIND_BATCH, head, honest, 4096, &body)).has_value());
  CheckMalformed(SealedBy(wire::KIND_BATCH, head, honest, 4095, &body));
  CheckMalformed(SealedBy(wire::KIND_BATCH, head, honest + honest, 4096, &body));
}

TEST_CASE("a message over the bound is not looked at") {
  Batch batch = ExampleBatch();
  batch.count = 1;
  batch.body = RandomBytes(kFragmentBytesMax, 3);
  CHECK(Decode(Encode(batch)).has_value());
  CheckMalformed(Encode(batch) + std::string("\xf2\x07\x80\x08", 4) + std::string(1024, 'x'));
}

TEST_CASE("a region that cannot be is refused wherever it is named") {
  for (const std::uint32_t region : {0u, 64u, 255u, 256u + 1, 0xffffffffu}) {
    CAPTURE(region);
    wire::Batch batch = HeadOf(1);
    batch.mutable_origin()->set_region(region);
    CheckMalformed(SealedBy(wire::KIND_BATCH, batch.SerializeAsString(), "x"));

    wire::Probe probe;
    probe.set_from(region);
    CheckMalformed(SealedBy(wire::KIND_PROBE, probe.SerializeAsString(), ""));

    wire::Beat beat;
    beat.mutable_report()->mutable_origin()->set_region(1);
    wire::Report& relayed = *beat.add_relayed();
    relayed.mutable_origin()->set_region(2);
    CHECK(Decode(SealedBy(wire::KIND_BEAT, beat.SerializeAsString(), "")).has_value());
    relayed.add_applied()->mutable_origin()->set_region(region);
    CheckMalformed(SealedBy(wire::KIND_BEAT, beat.SerializeAsString(), ""));
  }
}

TEST_CASE("a batch that contradicts itself is refused") {
  const auto refused = [](auto change, const std::string& body) {
    wire::Batch head = HeadOf(1);
    change(head);
    CheckMalformed(SealedBy(wire::KIND_BATCH, head.SerializeAsString(), body));
  };
  CHECK(Decode(SealedBy(wire::KIND_BATCH, HeadOf(1).SerializeAsString(), "x")).has_value());
  refused([](wire::Batch& head) { head.set_fragments(0); }, "x");
  refused([](wire::Batch& head) { head.set_fragments(kFragmentsMax + 1); }, "x");
  refused([](wire::Batch& head) { head.set_fragment(1); }, "x");
  refused([](wire::Batch& head) { head.set_count(0); }, "");  // an empty live batch
  refused([](wire::Batch& head) { head.set_count(0), head.set_fetch_id(1); }, "x");
  refused([](wire::Batch& head) { head.set_count(2); }, "x");
  refused([](wire::Batch& head) { head.set_count(2), head.set_fragments(2); }, "xx");
  refused([](wire::Batch& head) { head.set_count(0xffffffff); }, "x");
  refused([](wire::Batch& head) { head.set_first(0); }, "x");
  refused([](wire::Batch& head) { head.set_first(~0ull); }, "x");
  refused([](wire::Batch& head) { head.set_fetch_missing(true); }, "x");
  refused([](wire::Batch& head) { head.clear_origin(); }, "x");
}

TEST_CASE("lists, names and states have bounds") {
  wire::Beat beat;
  beat.mutable_report()->mutable_origin()->set_region(1);
  const auto sealed = [&] { return SealedBy(wire::KIND_BEAT, beat.SerializeAsString(), ""); };
  for (std::size_t i = 0; i < kReportLogsMax; ++i) {
    beat.mutable_report()->add_applied()->mutable_origin()->set_region(1);
  }
  for (std::size_t i = 0; i < kRelayedReportsMax; ++i)
    beat.add_relayed()->mutable_origin()->set_region(2);
  beat.set_software(std::string(kSoftwareBytesMax, 's'));
  beat.set_lifecycle(6);
  REQUIRE(Decode(sealed()).has_value());

  wire::Beat good = beat;
  beat.mutable_report()->add_applied()->mutable_origin()->set_region(1);
  CheckMalformed(sealed());
  beat = good;
  beat.add_relayed()->mutable_origin()->set_region(2);
  CheckMalformed(sealed());
  beat = good;
  beat.mutable_software()->push_back('s');
  CheckMalformed(sealed());
  beat = good;
  beat.set_lifecycle(7);
  CheckMalformed(sealed());
}

TEST_CASE("only a batch has a body") {
  wire::Probe probe;
  probe.set_from(2);
  CheckMalformed(SealedBy(wire::KIND_PROBE, probe.SerializeAsString(), "x"));
}

TEST_CASE("groups nested without end are refused") {
  std::string deep = Encode(ExampleProbe());
  deep += std::string(50'000, '\x7b');  // opens group 15 again and again
  CheckMalformed(deep);
  deep += std::string(50'000, '\x7c');
  CheckMalformed(deep);
}

TEST_CASE("a request's verb is read off its bytes") {
  CHECK(VerbOf(Encode(ExampleFetch())) == "fetch");
  CHECK(VerbOf(Encode(ExampleBatch())) == "fetch");
  CHECK(VerbOf(Encode(ExampleProbe())) == "probe");
  CHECK(VerbOf(Encode(ExampleProbeAnswer())) == "probe");
  CHECK(VerbOf("") == "other");
  CHECK(VerbOf("nonsense") == "other");
}
