#include "daemon/feeds/feed_message.h"

#include "feeds/feed.pb.h"

namespace hawser {
namespace {

std::string Token(std::string_view name) {
  std::string token;
  for (const char c : name) {
    if (c == '.') {
      token += "%2E";
    } else {
      token.push_back(c);
    }
  }
  return token;
}

void Tell(const Op& op, bool values, feed::Op& out) {
  out.set_field(std::string(op.field));
  out.set_expiry(op.expiry);
  if (op.type == Op::Type::kAdd) {
    if (op.has_float) {
      out.set_add_float(op.float_delta);
    } else {
      out.set_add(op.delta);
    }
  } else if (op.null) {
    out.set_null(true);
  } else if (values) {
    out.set_value(std::string(op.value));
  }
}

}  // namespace

std::string ChangesSubject(std::string_view cluster, std::string_view region,
                           std::string_view table) {
  std::string subject = "hw.";
  subject.append(cluster).append(".changes.").append(region).append(".").append(Token(table));
  return subject;
}

std::string EventSubject(std::string_view cluster, std::string_view region, std::string_view kind) {
  std::string subject = "hw.";
  subject.append(cluster).append(".events.").append(region).append(".").append(kind);
  return subject;
}

std::size_t ValueBytes(const Change& change) {
  std::size_t bytes = 0;
  for (const Op& op : change.ops) bytes += op.value.size();
  return bytes;
}

struct ChangesMessage::Body {
  feed::Changes message;
};

ChangesMessage::ChangesMessage(std::string_view region, std::string_view table,
                               std::string_view previous, bool gap)
    : body_(std::make_unique<Body>()) {
  body_->message.set_region(std::string(region));
  body_->message.set_table(std::string(table));
  body_->message.set_previous(std::string(previous));
  body_->message.set_gap(gap);
}
ChangesMessage::~ChangesMessage() = default;
ChangesMessage::ChangesMessage(ChangesMessage&&) noexcept = default;
ChangesMessage& ChangesMessage::operator=(ChangesMessage&&) noexcept = default;

void ChangesMessage::Add(const AppliedChange& applied, const RegionNameOf& name_of) {
  feed::Change& change = *body_->message.add_changes();
  change.set_key(std::string(applied.change.key));
  change.set_origin(name_of(applied.entry.origin.region));
  change.set_incarnation(Raw(applied.entry.origin.incarnation));
  change.set_seq(Raw(applied.entry.seq));
  change.set_more_of_txn(!applied.last_of_txn);
  change.set_written_ms(applied.txn.stamp.ms());
  change.set_applied_ms(applied.entry.applied_ms);
  const std::size_t value_bytes = ValueBytes(applied.change);
  const bool values = value_bytes <= kToldValuesBytesMax;
  change.set_values_left_out(!values);
  for (const Op& op : applied.change.ops) {
    Tell(op, values, *change.add_ops());
    bytes_ += op.field.size() + 16;
  }
  bytes_ += applied.change.key.size() + 64 + (values ? value_bytes : 0);
}

std::string ChangesMessage::Finish(std::string_view position) {
  body_->message.set_position(std::string(position));
  return body_->message.SerializeAsString();
}

}  // namespace hawser
