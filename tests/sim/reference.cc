#include "tests/sim/reference.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "conflict/record_codec.h"
#include "tests/sim/check.h"

namespace hawser::sim {
namespace {

__extension__ using Wide = __int128;

struct Put {
  const TruthTxn* by = nullptr;
  const Op* op = nullptr;
};

// Everything said of one field (or of the expiry).
struct FieldWrites {
  std::vector<Put> puts;
  std::vector<Put> adds;
  std::vector<const TruthTxn*> killers;       // writes whose mark proves gone what they had seen
  std::vector<const TruthTxn*> cell_killers;  // the same, but made beside shares that live on
};

bool IsKilled(const FieldWrites& field, const std::vector<const TruthTxn*>& creators,
              const TruthTxn& by) {
  const auto saw = [&](const TruthTxn* mark) { return mark->Saw(by.dot); };
  return std::ranges::any_of(field.killers, saw) || std::ranges::any_of(creators, saw);
}

std::optional<double> Number(std::string_view text) {
  if (text.empty() || text.find_first_not_of("+-.0123456789eE") != std::string_view::npos) {
    return std::nullopt;
  }
  return ParseFloat(text);
}

int Sign(std::strong_ordering order) {
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

// Numbers before texts; numbers by size, texts by bytes.
int CompareSizes(std::string_view a, std::string_view b) {
  const auto number_a = Number(a), number_b = Number(b);
  if (number_a && number_b) return *number_a < *number_b ? -1 : *number_a > *number_b ? 1 : 0;
  if (number_a || number_b) return number_a ? -1 : 1;
  return Sign(a <=> b);
}

const Put* Winner(const FieldWrites& field, const std::vector<const TruthTxn*>& creators) {
  const Put* best = nullptr;
  for (const Put& put : field.puts) {
    if (IsKilled(field, creators, *put.by)) continue;
    const auto saw = [&](const TruthTxn* mark) { return mark->Saw(put.by->dot); };
    if (std::ranges::any_of(field.cell_killers, saw)) continue;
    if (!best || IsLarger(*put.by, *put.op, *best->by, *best->op)) best = &put;
  }
  return best;
}

struct Share {
  Seq start{};
  Seq seq{};
  Wide sum = 0;
  double float_sum = 0;
  bool has_float = false;
};

// What each origin has added since its share's start, summed from the deltas one by one.
std::map<Origin, Share> Shares(const FieldWrites& field,
                               const std::vector<const TruthTxn*>& creators) {
  std::map<Origin, const Put*> newest;
  const auto start_of = [](const Put& add) {
    return add.op->start == Seq{0} ? add.by->dot.seq : add.op->start;
  };
  for (const Put& add : field.adds) {
    const bool wiped = std::ranges::any_of(field.puts, [&](const Put& put) {
      return put.op->kind == Kind::kLww && put.by->Saw(add.by->dot) &&
             std::ranges::none_of(put.op->seen, [&](const hawser::Share& seen) {
               return seen.origin == add.by->dot.origin;
             });
    });
    if (wiped || IsKilled(field, creators, *add.by)) continue;
    const Put*& best = newest[add.by->dot.origin];
    if (!best || std::tuple(start_of(add), add.by->dot.seq) >
                     std::tuple(start_of(*best), best->by->dot.seq)) {
      best = &add;
    }
  }
  std::map<Origin, Share> shares;
  for (const auto& [origin, last] : newest) {
    Share& share = shares[origin];
    share.start = start_of(*last);
    share.seq = last->by->dot.seq;
    for (const Put& add : field.adds) {
      if (add.by->dot.origin != origin || start_of(add) != share.start) continue;
      if (add.by->dot.seq > share.seq) continue;
      share.sum += add.op->delta;
      share.float_sum += add.op->float_delta;
      share.has_float |= add.op->has_float;
    }
  }
  return shares;
}

std::optional<std::string> ShownOf(const FieldWrites& field,
                                   const std::vector<const TruthTxn*>& creators) {
  const Put* base = Winner(field, creators);
  if (base && base->op->kind != Kind::kLww) {
    if (base->op->null) return std::nullopt;
    return std::string(base->op->value);
  }
  const std::map<Origin, Share> shares = Shares(field, creators);
  const bool has_value = base && !base->op->null;
  if (shares.empty()) {
    if (!has_value) return std::nullopt;
    return std::string(base->op->value);
  }
  Wide whole = 0;
  double fraction = 0;
  bool is_float = false;
  if (has_value) {
    if (const auto number = ParseInt(base->op->value)) {
      whole = *number;
    } else if (const auto real = Number(base->op->value)) {
      fraction = *real;
      is_float = true;
    } else {
      return std::string(base->op->value);  // no number: takes no shares
    }
  }
  bool counts = false;
  for (const auto& [origin, share] : shares) {
    const hawser::Share* seen = nullptr;
    if (base) {
      for (const hawser::Share& candidate : base->op->seen) {
        if (candidate.origin == origin) seen = &candidate;
      }
    }
    if (seen && share.start < seen->start) continue;
    const bool same = seen && share.start == seen->start;
    if (!same || share.seq != seen->seq) counts = true;
    whole += share.sum - (same ? seen->sum : 0);
    if (share.has_float) {
      fraction += share.float_sum;
      is_float = true;
    }
    if (same && seen->has_float) fraction -= seen->float_sum;
  }
  if (!has_value && !counts) return std::nullopt;
  if (is_float) return FormatFloat(static_cast<double>(whole) + fraction);
  return std::to_string(static_cast<std::int64_t>(whole));
}

// Everything said of one record, by field.
struct RecordWrites {
  std::vector<const TruthTxn*> creators;
  std::map<std::string_view, FieldWrites> fields;
  FieldWrites expiry;
};

RecordWrites Gather(const std::vector<Written>& writes, const Cut& cut) {
  RecordWrites record;
  for (const Written& written : writes) {
    if (!cut.Covers(written.by->dot)) continue;
    if (written.change->created) record.creators.push_back(written.by);
    for (const Op& op : written.change->ops) {
      FieldWrites& field = op.expiry ? record.expiry : record.fields[op.field];
      if (op.absent) (op.seen.empty() ? field.killers : field.cell_killers).push_back(written.by);
      (op.type == Op::Type::kPut ? field.puts : field.adds).push_back({written.by, &op});
    }
  }
  return record;
}

}  // namespace

bool IsLarger(const TruthTxn& a_by, const Op& a, const TruthTxn& b_by, const Op& b) {
  if (a.generation != b.generation) return a.generation > b.generation;
  if (a.kind != b.kind) return a.kind > b.kind;
  const Version a_version{a_by.txn.stamp, a_by.dot.origin.region};
  const Version b_version{b_by.txn.stamp, b_by.dot.origin.region};
  if (a.kind == Kind::kLww) return a_version > b_version;
  if (a.null != b.null) return b.null;
  if (a.null) return a_version > b_version;
  int order = 0;
  if (a.kind == Kind::kStates) order = Sign(a.rank <=> b.rank);
  if (a.kind == Kind::kFirst) order = Sign(b_version <=> a_version);
  if (a.kind == Kind::kMax) order = CompareSizes(a.value, b.value);
  if (a.kind == Kind::kMin) order = CompareSizes(b.value, a.value);
  return order != 0 ? order > 0 : a_version > b_version;
}

Seen Expected(const std::vector<Written>& writes, const Cut& cut, std::int64_t now_ms) {
  const auto [creators, fields, expiry] = Gather(writes, cut);
  if (const Put* until = Winner(expiry, creators); until && !until->op->null) {
    std::int64_t expiry_ms = 0;
    HW_CHECK(until->op->value.size() == 8, "txn is well made", "an expiry of odd size");
    for (std::size_t i = 8; i > 0; --i) {
      expiry_ms = expiry_ms * 256 + static_cast<unsigned char>(until->op->value[i - 1]);
    }
    if (now_ms >= expiry_ms) return {};
  }
  Seen seen;
  for (const auto& [name, field] : fields) {
    if (auto shown = ShownOf(field, creators)) seen.emplace(name, std::move(*shown));
  }
  return seen;
}

std::vector<Dot> Standing(const std::vector<Written>& writes, const Cut& cut) {
  const RecordWrites record = Gather(writes, cut);
  std::vector<Dot> dots;
  if (const Put* until = Winner(record.expiry, record.creators)) dots.push_back(until->by->dot);
  for (const auto& [name, field] : record.fields) {
    if (const Put* base = Winner(field, record.creators)) dots.push_back(base->by->dot);
    for (const auto& [origin, share] : Shares(field, record.creators)) {
      dots.push_back({origin, share.seq});
    }
  }
  return dots;
}

Seen Held(std::optional<std::string_view> record_bytes, std::int64_t now_ms) {
  if (!record_bytes) return {};
  Record record;
  HW_CHECK(DecodeRecord(*record_bytes, record), "row is a record", "bytes that are no record");
  if (!IsAlive(record, now_ms)) return {};
  Seen seen;
  for (const Field& field : record.fields) {
    const Shown shown = Show(field);
    if (!shown.visible) continue;
    seen.emplace(field.name, shown.is_counter ? shown.text : std::string(shown.value));
  }
  return seen;
}

std::string RowText(std::string_view row_key) {
  const RowKey key = SplitRowKey(row_key);
  return std::string(key.table) + "/" + std::string(key.key);
}

std::string Text(const Seen& seen) {
  std::string text = "{";
  for (const auto& [field, value] : seen) {
    text += " " + field + "=" + (value.size() > 40 ? value.substr(0, 40) + "…" : value);
  }
  return text + " }";
}

}  // namespace hawser::sim
