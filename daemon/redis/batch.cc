#include "daemon/redis/batch.h"

#include "conflict/assert.h"
#include "daemon/redis/key_name.h"

namespace hawser::redis {
namespace {

constexpr std::size_t kKeptBytes = 64 * 1024;

void TrimStorage(std::string& text) {
  text.clear();
  if (text.capacity() > kKeptBytes) std::string().swap(text);
}

}  // namespace

std::string_view RefusalText(Refusal refusal) {
  switch (refusal) {
    case Refusal::kNone:
      break;
    case Refusal::kFull:
      return "FULL the journal or the disk is at its bound; reads go on, writes heal with room";
    case Refusal::kReadOnly:
      return "READONLY this region takes no writes now; see hawserctl region list and the log";
    case Refusal::kRolledBack:
      return "READONLY this region's store was found rolled back; nothing was written";
    case Refusal::kTooBig:
      return "TOOBIG the write is larger than max_txn, or its record larger than max_record";
    case Refusal::kNotHome:
      return "TRYAGAIN the home of this unit is another region by now: send the command again";
    case Refusal::kNotEnough:
      return "NOTENOUGH less than that is left within reach; nothing was written";
    case Refusal::kRightsElsewhere:
      return "TRYAGAIN less than that may be taken in this region; more is being fetched from "
             "others: send the command again";
    case Refusal::kRightsLeft:
      return "SCARCE a field with `min` is deleted only when nothing is left of it and every "
             "region "
             "knows; no record of its table expires (PERSIST one that does)";
    case Refusal::kStopping:
      return "READONLY this daemon is stopping; nothing was written";
  }
  return "ERR the write was refused";
}

// --- I/O thread --------------------------------------------------------------------------------

void Batch::Add(Item::Type type, const Command& command, std::span<const std::string_view> args,
                int protocol, bool silent) {
  Item& item = items_.emplace_back();
  item.type = type;
  item.command = &command;
  item.protocol = static_cast<std::uint8_t>(protocol);
  item.silent = silent;
  item.args_begin = static_cast<std::uint32_t>(args_.size());
  item.args_count = static_cast<std::uint32_t>(args.size());
  args_.insert(args_.end(), args.begin(), args.end());
  needs_engine_ = true;
}

void Batch::AddExec(const Command& command, std::unique_ptr<Bundle> bundle, int protocol,
                    bool silent) {
  Add(Item::Type::kExec, command, {}, protocol, silent);
  items_.back().bundle = std::move(bundle);
}

void Batch::AddLiteral(const Command* command, std::string_view reply) {
  Item& item = items_.emplace_back();
  item.type = Item::Type::kLiteral;
  item.command = command;
  item.literal_begin = literals_.size();
  item.literal_size = reply.size();
  literals_.append(reply);
}

void Batch::Clear() {
  items_.clear();
  args_.clear();
  if (args_.capacity() > 4096) std::vector<std::string_view>().swap(args_);
  if (items_.capacity() > 1024) std::vector<Item>().swap(items_);
  TrimStorage(literals_);
  TrimStorage(out);
  last_write = Dot{};
  keeps_written = false;
  written.clear();
  owned.clear();
  needs_engine_ = false;
}

// --- Engine thread -----------------------------------------------------------------------------

void Batch::Run(Session& session, Scratch& scratch) {
  for (Item& item : items_) {
    const std::size_t begin = out.size();
    switch (item.type) {
      case Item::Type::kLiteral:
        out.append(literals_, item.literal_begin, item.literal_size);
        break;
      case Item::Type::kRun:
        RunOne(item, session, scratch);
        break;
      case Item::Type::kExec:
        RunExec(item, session, scratch);
        break;
      case Item::Type::kWatch:
        for (const std::string_view key : Args(item).subspan(1)) {
          const auto name = ParseKeyName(key);
          HW_ASSERT(name);
          item.watches->Watch(name->table, name->key, session);
        }
        Reply(out, item.protocol).Ok();
        break;
    }
    if (item.silent) out.resize(begin);
    item.out_end = out.size();
  }
}

void Batch::NoteCommit(const std::expected<Dot, Refusal>& dot, std::size_t reply_begin,
                       Reply& reply) {
  if (!dot) {
    reply.CutBackTo(reply_begin);
    reply.Error(RefusalText(dot.error()));
  } else if (Raw(dot->seq) != 0) {
    last_write = *dot;
    if (keeps_written) written.push_back(dot->seq);
  }
}

void Batch::RunOne(const Item& item, Session& session, Scratch& scratch) {
  Reply reply(out, item.protocol);
  SessionRows rows(session);
  if (item.command->place != Place::kWrite) {
    Call call(Args(item), reply, &rows, nullptr, session.now_ms(), scratch);
    return item.command->run(call);
  }
  const std::size_t begin = out.size();
  const std::unique_ptr<LocalTxn> txn = session.Begin();
  Call call(Args(item), reply, &rows, txn.get(), txn->now_ms(), scratch);
  item.command->run(call);
  if (!call.failed) NoteCommit(session.Commit(*txn), begin, reply);
}

void Batch::RunExec(const Item& item, Session& session, Scratch& scratch) {
  Reply reply(out, item.protocol);
  const bool changed = item.watches->Changed(session);
  item.watches->Clear();
  if (changed) return reply.NullArray();
  const std::size_t begin = out.size();
  SessionRows rows(session);
  const std::unique_ptr<LocalTxn> txn = session.Begin();
  Bundle& bundle = *item.bundle;
  reply.Array(bundle.size());
  for (std::size_t i = 0; i < bundle.size(); ++i) {
    Call call(bundle.args(i), reply, &rows, txn.get(), txn->now_ms(), scratch);
    call.in_multi = true;
    call.schema = &session.schema();
    bundle.command(i).run(call);
    if (call.abort.empty()) continue;
    reply.CutBackTo(begin);
    return reply.Error(call.abort + "; nothing of this transaction was written");
  }
  NoteCommit(session.Commit(*txn), begin, reply);
}

// --- After the engine ----------------------------------------------------------------------------

void Batch::BecomeUnknown() {
  out.clear();
  last_write = Dot{};
  for (Item& item : items_) {
    if (item.type == Item::Type::kLiteral) {
      out.append(literals_, item.literal_begin, item.literal_size);
    } else if (!item.silent) {
      Reply(out, item.protocol).Error(kUnknownText);
    }
    item.out_end = out.size();
  }
}

void Batch::RunLiterals() {
  HW_ASSERT(!needs_engine_);
  out.swap(literals_);
}

}  // namespace hawser::redis
