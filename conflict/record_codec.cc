#include "conflict/record_codec.h"

#include <bit>
#include <cmath>

#include "conflict/share_codec.h"

namespace hawser {
namespace {

// Cells of one record were often written by the same txn: writers are listed once, cells point at
// them.
struct WriterRow {
  Stamp stamp;
  Dot dot;
  bool operator==(const WriterRow&) const = default;
};

// A few writers in place, more on the heap; records rarely have more than a handful.
class Writers {
 public:
  std::size_t IndexOf(const Cell& cell) {
    const WriterRow row{cell.version.stamp, cell.dot};
    for (std::size_t i = 0; i < size_; ++i) {
      if ((*this)[i] == row) return i;
    }
    Push(row);
    return size_ - 1;
  }
  void Push(const WriterRow& row) {
    if (size_ < kInPlace) {
      few_[size_] = row;
    } else {
      more_.push_back(row);
    }
    ++size_;
  }
  const WriterRow& operator[](std::size_t i) const {
    return i < kInPlace ? few_[i] : more_[i - kInPlace];
  }
  std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t kInPlace = 8;
  WriterRow few_[kInPlace];
  std::vector<WriterRow> more_;
  std::size_t size_ = 0;
};

constexpr std::uint8_t kRecordHasExpiry = 1;

constexpr std::uint8_t kCellKindMask = 7;
constexpr std::uint8_t kCellNull = 8;
constexpr std::uint8_t kCellHasGeneration = 16;

constexpr std::uint8_t kFieldHasCell = 1;
constexpr std::uint8_t kFieldHasShares = 2;
constexpr std::uint8_t kFieldHasSeen = 4;

void PutCell(ByteWriter& out, const Cell& cell, Writers& writers) {
  auto flags = static_cast<std::uint8_t>(cell.kind);
  if (cell.null) flags |= kCellNull;
  if (cell.generation > 0) flags |= kCellHasGeneration;
  out.Byte(flags);
  out.Varint(writers.IndexOf(cell));
  if (cell.generation > 0) out.Varint(cell.generation);
  if (cell.null) return;
  if (cell.kind == Kind::kStates) out.Varint(cell.rank);
  out.Text(cell.value);
}

bool GetCell(ByteReader& in, const Writers& writers, Cell& cell) {
  const std::uint8_t flags = in.Byte();
  if (flags >= 2 * kCellHasGeneration || (flags & kCellKindMask) > kKindMax) return false;
  cell.kind = static_cast<Kind>(flags & kCellKindMask);
  cell.null = (flags & kCellNull) != 0;
  const std::uint64_t writer = in.Varint();
  if (writer >= writers.size()) return false;
  cell.dot = writers[writer].dot;
  cell.version = {writers[writer].stamp, cell.dot.origin.region};
  cell.generation = (flags & kCellHasGeneration) ? in.Varint() : 0;
  cell.rank = (!cell.null && cell.kind == Kind::kStates) ? in.Varint() : 0;
  cell.value = cell.null ? std::string_view{} : in.Text();
  return in.ok();
}

bool GetField(ByteReader& in, const Writers& writers, Field& field) {
  field.name = in.Text();
  const std::uint8_t flags = in.Byte();
  if (flags == 0 || flags >= 2 * kFieldHasSeen) return false;
  field.has_cell = (flags & kFieldHasCell) != 0;
  field.cell = Cell{};
  if (field.has_cell && !GetCell(in, writers, field.cell)) return false;
  field.shares.clear();
  field.seen.clear();
  if ((flags & kFieldHasShares) && !GetShares(in, field.shares, Stamps::kYes)) return false;
  return !(flags & kFieldHasSeen) || GetShares(in, field.seen, Stamps::kNo);
}

}  // namespace

void PutShares(ByteWriter& out, const std::vector<Share>& shares, Stamps stamps) {
  out.Varint(shares.size());
  for (const Share& share : shares) {
    PutOrigin(out, share.origin);
    out.Varint(Raw(share.start));
    out.Varint(Raw(share.seq));
    out.Zigzag(share.sum);
    out.Byte(share.has_float ? 1 : 0);
    if (share.has_float) out.Fixed64(std::bit_cast<std::uint64_t>(share.float_sum));
    if (stamps == Stamps::kYes) out.Fixed64(share.stamp.raw);
  }
}

bool GetShares(ByteReader& in, std::vector<Share>& shares, Stamps stamps) {
  const std::size_t count = in.Count();
  shares.clear();
  for (std::size_t i = 0; i < count; ++i) {
    Share share;
    if (!GetOrigin(in, share.origin)) return false;
    share.start = Seq{in.Varint()};
    share.seq = Seq{in.Varint()};
    share.sum = in.Zigzag();
    const std::uint8_t has_float = in.Byte();
    if (has_float > 1) return false;
    share.has_float = has_float == 1;
    if (share.has_float) share.float_sum = std::bit_cast<double>(in.Fixed64());
    if (stamps == Stamps::kYes) share.stamp.raw = in.Fixed64();
    if (!in.ok() || share.start == Seq{0} || share.start > share.seq) return false;
    if (!std::isfinite(share.float_sum)) return false;
    if (!shares.empty() && !(shares.back().origin < share.origin)) return false;
    shares.push_back(share);
  }
  return in.ok() && count > 0;
}

static void PutRecord(ByteWriter& out, const Record& record, Writers& writers) {
  out.Byte(record.expiry ? kRecordHasExpiry : 0);
  out.Varint(writers.size());
  for (std::size_t i = 0; i < writers.size(); ++i) {
    out.Fixed64(writers[i].stamp.raw);
    PutOrigin(out, writers[i].dot.origin);
    out.Varint(Raw(writers[i].dot.seq));
  }
  if (record.expiry) PutCell(out, *record.expiry, writers);
  out.Varint(record.fields.size());
  for (const Field& field : record.fields) {
    out.Text(field.name);
    std::uint8_t flags = 0;
    if (field.has_cell) flags |= kFieldHasCell;
    if (!field.shares.empty()) flags |= kFieldHasShares;
    if (!field.seen.empty()) flags |= kFieldHasSeen;
    out.Byte(flags);
    if (field.has_cell) PutCell(out, field.cell, writers);
    if (!field.shares.empty()) PutShares(out, field.shares, Stamps::kYes);
    if (!field.seen.empty()) PutShares(out, field.seen, Stamps::kNo);
  }
}

// More than the record's bytes: texts at their size, the rest at its largest.
static std::size_t BytesMax(const Record& record, const Writers& writers) {
  std::size_t bytes = 96 + writers.size() * 32;
  for (const Field& field : record.fields) {
    bytes += 64 + field.name.size() + field.cell.value.size() +
             SharesBytesMax(field.shares.size()) + SharesBytesMax(field.seen.size());
  }
  return bytes + (record.expiry ? record.expiry->value.size() : 0);
}

void EncodeRecord(const Record& record, std::string& out) {
  Writers writers;
  if (record.expiry) writers.IndexOf(*record.expiry);
  for (const Field& field : record.fields) {
    if (field.has_cell) writers.IndexOf(field.cell);
  }
  AppendBounded(out, BytesMax(record, writers),
                [&](ByteWriter& writer) { PutRecord(writer, record, writers); });
}

static bool GetRecord(std::string_view bytes, Record& record) {
  ByteReader in(bytes);
  const std::uint8_t record_flags = in.Byte();
  if (record_flags > kRecordHasExpiry) return false;
  Writers writers;
  const std::size_t writer_count = in.Count();
  for (std::size_t i = 0; i < writer_count && in.ok(); ++i) {
    WriterRow row;
    row.stamp.raw = in.Fixed64();
    if (!GetOrigin(in, row.dot.origin)) return false;
    row.dot.seq = Seq{in.Varint()};
    writers.Push(row);
  }
  record.expiry.reset();
  if (record_flags & kRecordHasExpiry) {
    if (!GetCell(in, writers, record.expiry.emplace())) return false;
  }
  const std::size_t field_count = in.Count();
  for (std::size_t i = 0; i < field_count; ++i) {
    if (i == record.fields.size()) record.fields.emplace_back();  // else an old field's storage
    Field& field = record.fields[i];
    if (!GetField(in, writers, field)) return false;
    if (i > 0 && !(record.fields[i - 1].name < field.name)) return false;
  }
  record.fields.resize(field_count);
  return in.done();
}

bool DecodeRecord(std::string_view bytes, Record& record) {
  if (GetRecord(bytes, record)) return true;
  record.clear();
  return false;
}

void AppendRowKey(std::string_view table, std::string_view key, std::string& out) {
  out.reserve(out.size() + table.size() + 1 + key.size());
  out.append(table);
  out.push_back('\0');
  out.append(key);
}

RowKey SplitRowKey(std::string_view row_key) {
  const std::size_t zero = row_key.find('\0');
  if (zero == std::string_view::npos) return {row_key, {}};
  return {row_key.substr(0, zero), row_key.substr(zero + 1)};
}

}  // namespace hawser
