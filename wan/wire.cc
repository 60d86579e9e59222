#include "wan/wire.h"

#include <google/protobuf/io/coded_stream.h>
#include <xxhash.h>

#include <cstdint>
#include <limits>
#include <utility>

#include "conflict/assert.h"
#include "wan/wire.pb.h"
#include "wan/wire_body.h"

namespace hawser {

namespace {

constexpr int kNestingMax = 8;  // ours nest three deep; the rest is for fields of later versions

// ---- what a message may say
// -------------------------------------------------------------------------

bool IsRegion(std::uint32_t raw) {
  return raw >= 1 && raw <= kRegionIdMax;
}

// Why a batch contradicts itself, or null.
const char* Problem(const Batch& batch) {
  if (batch.fragments < 1 || batch.fragments > kFragmentsMax) return "fragments out of bounds";
  if (batch.fragment >= batch.fragments) return "no such fragment";
  if (batch.body.size() > kBodyBytesMax) return "body too long";
  if (batch.count == 0) {
    if (batch.fetch_id == 0) return "an empty batch that answers nobody";
    if (!batch.body.empty() || batch.fragments != 1) return "a body without txns";
    return nullptr;
  }
  if (batch.fetch_missing) return "txns that are missing";
  if (batch.fragments > 1 && batch.count != 1) return "a fragment of several txns";
  if (batch.count > batch.body.size()) return "more txns than bytes";
  if (Raw(batch.first) == 0) return "txns count from 1";
  if (Raw(batch.first) > std::numeric_limits<std::uint64_t>::max() - batch.count)
    return "seq overflows";
  return nullptr;
}

// Why a piece of a call cannot be one, or null.
const char* Problem(std::uint32_t piece, std::uint32_t pieces, std::string_view body) {
  if (pieces < 1 || pieces > kCallPiecesMax) return "pieces out of bounds";
  if (piece >= pieces) return "no such piece";
  if (body.size() > kFragmentBytesMax) return "a piece too long";
  if (pieces > 1 && body.empty()) return "an empty piece";
  return nullptr;
}

// ---- values to protobuf
// -----------------------------------------------------------------------------

void ToWire(const Origin& from, wire::Origin& to) {
  to.set_region(Raw(from.region));
  to.set_incarnation(Raw(from.incarnation));
}

void ToWire(const Report& from, wire::Report& to) {
  HW_ASSERT(from.applied.size() <= kReportLogsMax);
  ToWire(from.own.origin, *to.mutable_origin());
  to.set_seq(Raw(from.own.seq));
  for (const BeatLog& log : from.applied) {
    wire::BeatLog& out = *to.add_applied();
    ToWire(log.origin, *out.mutable_origin());
    out.set_seq(Raw(log.seq));
    out.set_hash(log.hash);
  }
  to.set_clock(from.clock.raw);
}

wire::Batch ToWire(const Batch& from) {
  HW_ASSERT(Problem(from) == nullptr);
  wire::Batch to;
  ToWire(from.origin, *to.mutable_origin());
  to.set_first(Raw(from.first));
  to.set_count(from.count);
  to.set_hash_before(from.hash_before);
  to.set_hash_after(from.hash_after);
  to.set_fragment(from.fragment);
  to.set_fragments(from.fragments);
  to.set_fetch_id(from.fetch_id);
  to.set_fetch_end(from.fetch_end);
  to.set_fetch_missing(from.fetch_missing);
  return to;
}

wire::Beat ToWire(const Beat& from) {
  HW_ASSERT(from.software.size() <= kSoftwareBytesMax);
  wire::Beat to;
  ToWire(from.report, *to.mutable_report());
  to.set_lifecycle(std::to_underlying(from.lifecycle));
  to.set_cluster_id(from.cluster_id);
  to.set_schema_hash(from.schema_hash);
  to.set_member_hash(from.member_hash);
  to.set_format(from.format);
  to.set_software(from.software);
  to.set_started_ms(from.started_ms);
  to.set_receiving_paused(from.receiving_paused);
  std::size_t bytes = to.ByteSizeLong() + 1024;
  for (const Report& report : from.relayed) {
    if (to.relayed_size() == static_cast<int>(kRelayedReportsMax)) break;
    wire::Report& out = *to.add_relayed();
    ToWire(report, out);
    bytes += out.ByteSizeLong() + 8;
    if (bytes > kMessageBytesMax) {
      to.mutable_relayed()->RemoveLast();
      break;
    }
  }
  return to;
}

wire::Fetch ToWire(const Fetch& from) {
  wire::Fetch to;
  to.set_from(Raw(from.from));
  to.set_id(from.id);
  ToWire(from.origin, *to.mutable_origin());
  to.set_first(Raw(from.first));
  to.set_bytes_max(from.bytes_max);
  return to;
}

wire::Probe ToWire(const Probe& from) {
  wire::Probe to;
  to.set_from(Raw(from.from));
  to.set_id(from.id);
  to.set_t1_us(from.t1_us);
  return to;
}

wire::ProbeAnswer ToWire(const ProbeAnswer& from) {
  wire::ProbeAnswer to;
  to.set_from(Raw(from.from));
  to.set_id(from.id);
  to.set_t1_us(from.t1_us);
  to.set_t2_us(from.t2_us);
  to.set_t3_us(from.t3_us);
  to.set_compared(from.compared);
  for (const BeatLog& log : from.held) {
    wire::BeatLog& out = *to.add_held();
    ToWire(log.origin, *out.mutable_origin());
    out.set_seq(Raw(log.seq));
    out.set_hash(log.hash);
  }
  return to;
}

wire::CallRequest ToWire(const CallRequest& from) {
  HW_ASSERT(Problem(from.piece, from.pieces, from.body) == nullptr);
  HW_ASSERT(!from.verb.empty() && from.verb.size() <= kVerbBytesMax);
  wire::CallRequest to;
  to.set_from(Raw(from.from));
  to.set_id(from.id);
  to.set_sent_ms(from.sent_ms);
  to.set_budget_ms(from.budget_ms);
  to.set_piece(from.piece);
  to.set_pieces(from.pieces);
  to.set_verb(from.verb);
  return to;
}

wire::CallAnswer ToWire(const CallAnswer& from) {
  HW_ASSERT(Problem(from.piece, from.pieces, from.body) == nullptr);
  wire::CallAnswer to;
  to.set_from(Raw(from.from));
  to.set_id(from.id);
  to.set_status(std::to_underlying(from.status));
  to.set_piece(from.piece);
  to.set_pieces(from.pieces);
  return to;
}

wire::Kind KindOf(const Batch&) {
  return wire::KIND_BATCH;
}
wire::Kind KindOf(const Beat&) {
  return wire::KIND_BEAT;
}
wire::Kind KindOf(const Fetch&) {
  return wire::KIND_FETCH;
}
wire::Kind KindOf(const Probe&) {
  return wire::KIND_PROBE;
}
wire::Kind KindOf(const ProbeAnswer&) {
  return wire::KIND_PROBE_ANSWER;
}
wire::Kind KindOf(const CallRequest&) {
  return wire::KIND_CALL_REQUEST;
}
wire::Kind KindOf(const CallAnswer&) {
  return wire::KIND_CALL_ANSWER;
}

// What a message carries beside its head.
template <typename Value>
std::string_view BodyOf(const Value& value) {
  if constexpr (requires { value.body; }) return value.body;
  return {};
}

// ---- protobuf to values; false: malformed
// -----------------------------------------------------------

bool FromWire(const wire::Origin& from, Origin& to) {
  if (!IsRegion(from.region())) return false;
  to = {RegionId{static_cast<std::uint8_t>(from.region())}, Incarnation{from.incarnation()}};
  return true;
}

bool FromWire(std::uint32_t from, RegionId& to) {
  if (!IsRegion(from)) return false;
  to = RegionId{static_cast<std::uint8_t>(from)};
  return true;
}

bool FromWire(const wire::Report& from, Report& to) {
  if (!FromWire(from.origin(), to.own.origin)) return false;
  to.own.seq = Seq{from.seq()};
  to.clock = Stamp{from.clock()};
  if (from.applied_size() > static_cast<int>(kReportLogsMax)) return false;
  to.applied.resize(static_cast<std::size_t>(from.applied_size()));
  for (std::size_t i = 0; i < to.applied.size(); ++i) {
    const wire::BeatLog& log = from.applied(static_cast<int>(i));
    if (!FromWire(log.origin(), to.applied[i].origin)) return false;
    to.applied[i].seq = Seq{log.seq()};
    to.applied[i].hash = log.hash();
  }
  return true;
}

bool FromWire(const wire::Batch& from, Batch& to) {
  if (!FromWire(from.origin(), to.origin)) return false;
  to.first = Seq{from.first()};
  to.count = from.count();
  to.hash_before = from.hash_before();
  to.hash_after = from.hash_after();
  to.fragment = from.fragment();
  to.fragments = from.fragments();
  to.fetch_id = from.fetch_id();
  to.fetch_end = from.fetch_end();
  to.fetch_missing = from.fetch_missing();
  return Problem(to) == nullptr;  // the body is in place already
}

bool FromWire(const wire::Beat& from, Beat& to) {
  if (!FromWire(from.report(), to.report)) return false;
  if (from.relayed_size() > static_cast<int>(kRelayedReportsMax)) return false;
  to.relayed.resize(static_cast<std::size_t>(from.relayed_size()));
  for (std::size_t i = 0; i < to.relayed.size(); ++i) {
    if (!FromWire(from.relayed(static_cast<int>(i)), to.relayed[i])) return false;
  }
  if (from.lifecycle() > std::to_underlying(Lifecycle::kStale)) return false;
  to.lifecycle = static_cast<Lifecycle>(from.lifecycle());
  to.cluster_id = from.cluster_id();
  to.schema_hash = from.schema_hash();
  to.member_hash = from.member_hash();
  to.format = from.format();
  if (from.software().size() > kSoftwareBytesMax) return false;
  to.software = from.software();
  to.started_ms = from.started_ms();
  to.receiving_paused = from.receiving_paused();
  return true;
}

bool FromWire(const wire::Fetch& from, Fetch& to) {
  if (!FromWire(from.from(), to.from) || !FromWire(from.origin(), to.origin)) return false;
  to.id = from.id();
  to.first = Seq{from.first()};
  to.bytes_max = from.bytes_max();
  return true;
}

bool FromWire(const wire::Probe& from, Probe& to) {
  if (!FromWire(from.from(), to.from)) return false;
  to.id = from.id();
  to.t1_us = from.t1_us();
  return true;
}

bool FromWire(const wire::ProbeAnswer& from, ProbeAnswer& to) {
  if (!FromWire(from.from(), to.from)) return false;
  to.id = from.id();
  to.t1_us = from.t1_us();
  to.t2_us = from.t2_us();
  to.t3_us = from.t3_us();
  to.compared = from.compared();
  if (from.held_size() > static_cast<int>(kReportLogsMax)) return false;
  to.held.resize(static_cast<std::size_t>(from.held_size()));
  for (std::size_t i = 0; i < to.held.size(); ++i) {
    const wire::BeatLog& log = from.held(static_cast<int>(i));
    if (!FromWire(log.origin(), to.held[i].origin)) return false;
    to.held[i].seq = Seq{log.seq()};
    to.held[i].hash = log.hash();
  }
  return true;
}

bool FromWire(const wire::CallRequest& from, CallRequest& to) {
  if (!FromWire(from.from(), to.from)) return false;
  to.id = from.id();
  to.sent_ms = from.sent_ms();
  to.budget_ms = from.budget_ms();
  to.piece = from.piece();
  to.pieces = from.pieces();
  if (from.verb().empty() || from.verb().size() > kVerbBytesMax) return false;
  to.verb = from.verb();
  return Problem(to.piece, to.pieces, to.body) == nullptr;
}

bool FromWire(const wire::CallAnswer& from, CallAnswer& to) {
  if (!FromWire(from.from(), to.from)) return false;
  to.id = from.id();
  if (from.status() > std::to_underlying(CallStatus::kUnknown)) return false;
  to.status = static_cast<CallStatus>(from.status());
  to.piece = from.piece();
  to.pieces = from.pieces();
  return Problem(to.piece, to.pieces, to.body) == nullptr;
}

// ---- the envelope
// -----------------------------------------------------------------------------------

std::uint64_t Checksum(std::uint64_t version, std::uint64_t kind, std::string_view head,
                       std::string_view body) {
  const std::uint64_t seed = (version << 32) | kind;
  return XXH3_64bits_withSeed(body.data(), body.size(),
                              XXH3_64bits_withSeed(head.data(), head.size(), seed));
}

void AppendVarint(std::uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

void AppendVarintField(std::uint32_t field, std::uint64_t value, std::string& out) {
  AppendVarint(field << 3, out);
  AppendVarint(value, out);
}

void AppendFixed64Field(std::uint32_t field, std::uint64_t value, std::string& out) {
  AppendVarint(field << 3 | 1, out);
  for (int shift = 0; shift < 64; shift += 8) out.push_back(static_cast<char>(value >> shift));
}

void AppendBytesField(std::uint32_t field, std::string_view bytes, std::string& out) {
  AppendVarint(field << 3 | 2, out);
  AppendVarint(bytes.size(), out);
  out.append(bytes);
}

// The envelope's few fields are written by hand, so that the body goes straight from the batch, or
// out of the compressor, to its place.
std::string Seal(wire::Kind kind, std::string_view head, std::string_view body,
                 const EncodeOptions& options) {
  std::string compressed;
  const bool shrinks = options.compress && body.size() >= kCompressBytesMin &&
                       LooksCompressible(body) && AppendCompressed(body, compressed);
  const std::string_view sent = shrinks ? std::string_view(compressed) : body;
  std::string out;
  out.reserve(head.size() + sent.size() + 64);
  AppendVarintField(wire::Envelope::kWireVersionFieldNumber, kWireVersion, out);
  AppendVarintField(wire::Envelope::kKindFieldNumber, static_cast<std::uint64_t>(kind), out);
  AppendFixed64Field(wire::Envelope::kChecksumFieldNumber,
                     Checksum(kWireVersion, static_cast<std::uint64_t>(kind), head, body), out);
  AppendBytesField(wire::Envelope::kHeadFieldNumber, head, out);
  if (shrinks) AppendVarintField(wire::Envelope::kBodyBytesFieldNumber, body.size(), out);
  if (!sent.empty()) AppendBytesField(wire::Envelope::kBodyFieldNumber, sent, out);
  HW_ASSERT(out.size() <= kMessageBytesMax);
  return out;
}

template <typename WireMessage>
bool Parse(std::string_view bytes, WireMessage& message) {
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                            static_cast<int>(bytes.size()));
  in.SetRecursionLimit(kNestingMax);
  return message.MergeFromCodedStream(&in) && in.ConsumedEntireMessage();
}

// The version of an envelope, whatever follows it; 0: no envelope.
std::uint64_t VersionOf(std::string_view bytes) {
  if (bytes.size() < 2 || bytes[0] != wire::Envelope::kWireVersionFieldNumber << 3) return 0;
  std::uint64_t version = 0;
  for (std::size_t i = 1; i < bytes.size() && i <= 5; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    version |= std::uint64_t{byte & 0x7fu} << (7 * (i - 1));
    if (byte < 0x80) return version;
  }
  return 0;
}

template <typename WireMessage, typename Value>
std::expected<Message, WireError> Open(std::string_view head, Value value) {
  WireMessage message;
  if (!Parse(head, message) || !FromWire(message, value)) {
    return std::unexpected(WireError::kMalformed);
  }
  return value;
}

}  // namespace

std::string Encode(const Message& message, const EncodeOptions& options) {
  return std::visit(
      [&](const auto& value) {
        const std::string head = ToWire(value).SerializeAsString();
        return Seal(KindOf(value), head, BodyOf(value), options);
      },
      message);
}

std::expected<Message, WireError> Decode(std::string_view bytes) {
  constexpr auto kMalformed = std::unexpected(WireError::kMalformed);
  if (bytes.size() > kMessageBytesMax) return kMalformed;
  const std::uint64_t version = VersionOf(bytes);
  if (version == 0) return kMalformed;
  if (version > kWireVersion) return std::unexpected(WireError::kNewer);

  wire::Envelope envelope;
  if (!Parse(bytes, envelope) || envelope.wire_version() != version) return kMalformed;
  std::string body = std::move(*envelope.mutable_body());
  if (envelope.body_bytes() != 0) {
    if (envelope.body_bytes() > kBodyBytesMax) return kMalformed;
    std::optional<std::string> whole = Decompress(body, envelope.body_bytes());
    if (!whole) return kMalformed;
    body = std::move(*whole);
  }
  const auto kind = static_cast<std::uint32_t>(envelope.kind());
  if (Checksum(version, kind, envelope.head(), body) != envelope.checksum()) return kMalformed;

  if (kind == wire::KIND_NONE) return kMalformed;
  if (kind > wire::Kind_MAX) return std::unexpected(WireError::kNewer);
  const bool has_body =
      kind == wire::KIND_BATCH || kind == wire::KIND_CALL_REQUEST || kind == wire::KIND_CALL_ANSWER;
  if (!has_body && !body.empty()) return kMalformed;
  switch (envelope.kind()) {
    case wire::KIND_BATCH: {
      Batch batch;
      batch.body = std::move(body);
      return Open<wire::Batch>(envelope.head(), std::move(batch));
    }
    case wire::KIND_BEAT:
      return Open<wire::Beat>(envelope.head(), Beat{});
    case wire::KIND_FETCH:
      return Open<wire::Fetch>(envelope.head(), Fetch{});
    case wire::KIND_PROBE:
      return Open<wire::Probe>(envelope.head(), Probe{});
    case wire::KIND_PROBE_ANSWER:
      return Open<wire::ProbeAnswer>(envelope.head(), ProbeAnswer{});
    case wire::KIND_CALL_REQUEST: {
      CallRequest request;
      request.body = std::move(body);
      return Open<wire::CallRequest>(envelope.head(), std::move(request));
    }
    case wire::KIND_CALL_ANSWER: {
      CallAnswer answer;
      answer.body = std::move(body);
      return Open<wire::CallAnswer>(envelope.head(), std::move(answer));
    }
    default:
      return kMalformed;
  }
}

std::string_view VerbOf(std::string_view bytes) {
  if (VersionOf(bytes) != kWireVersion || bytes.size() < 4) return "other";
  if (bytes[2] != wire::Envelope::kKindFieldNumber << 3) return "other";
  switch (bytes[3]) {
    case wire::KIND_BATCH:
    case wire::KIND_FETCH:
      return "fetch";
    case wire::KIND_PROBE:
    case wire::KIND_PROBE_ANSWER:
      return "probe";
    case wire::KIND_CALL_REQUEST:
    case wire::KIND_CALL_ANSWER:
      return "call";
    default:
      return "other";
  }
}

}  // namespace hawser
