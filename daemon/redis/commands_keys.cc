#include <algorithm>

#include "daemon/redis/call.h"
#include "daemon/redis/edit_help.h"
#include "daemon/redis/handlers.h"

namespace hawser::redis {

void Exists(Call& call) {
  if (!call.CheckKeys(1)) return;
  std::int64_t count = 0;
  for (std::size_t i = 1; i < call.args.size(); ++i) {
    if (call.Read(call.args[i])->Alive()) ++count;
  }
  call.reply.Int(count);
}

void Type(Call& call) {
  Reading* reading = call.Read(call.args[1]);
  if (reading == nullptr) return;
  call.reply.Simple(!reading->Alive() ? "none" : reading->HasNamedFields() ? "hash" : "string");
}

// --- Time to live ------------------------------------------------------------------------------

namespace {

enum class TtlForm { kLeft, kAt };

void ReplyTtl(Call& call, TtlForm form, std::int64_t unit_ms) {
  Reading* reading = call.Read(call.args[1]);
  if (reading == nullptr) return;
  if (!reading->Alive()) return call.reply.Int(-2);
  const auto expiry_ms = reading->ExpiryMs();
  if (!expiry_ms) return call.reply.Int(-1);
  if (form == TtlForm::kAt) return call.reply.Int(*expiry_ms / unit_ms);
  const std::int64_t left_ms = std::max<std::int64_t>(0, *expiry_ms - call.now_ms);
  call.reply.Int((left_ms + unit_ms / 2) / unit_ms);
}

struct ExpireFlags {
  bool nx = false, xx = false, gt = false, lt = false;
};

bool ParseExpireFlags(Call& call, ExpireFlags& flags) {
  for (std::size_t i = 3; i < call.args.size(); ++i) {
    if (call.Is(i, "NX")) {
      flags.nx = true;
    } else if (call.Is(i, "XX")) {
      flags.xx = true;
    } else if (call.Is(i, "GT")) {
      flags.gt = true;
    } else if (call.Is(i, "LT")) {
      flags.lt = true;
    } else {
      call.Error("ERR Unsupported option " + std::string(call.args[i]));
      return false;
    }
  }
  if (flags.nx && (flags.xx || flags.gt || flags.lt)) {
    call.Error("ERR NX and XX, GT or LT options at the same time are not compatible");
    return false;
  }
  if (flags.gt && flags.lt) {
    call.Error("ERR GT and LT options at the same time are not compatible");
    return false;
  }
  return true;
}

// No expiry counts as one infinitely far away.
bool FlagsAllow(const ExpireFlags& flags, std::optional<std::int64_t> held, std::int64_t wanted) {
  if (flags.nx && held) return false;
  if (flags.xx && !held) return false;
  if (flags.gt && (!held || wanted <= *held)) return false;
  if (flags.lt && held && wanted >= *held) return false;
  return true;
}

void SetDeadline(Call& call, std::int64_t unit_ms, bool relative, std::string_view command) {
  const auto amount = call.Int(2);
  ExpireFlags flags;
  if (!amount || !ParseExpireFlags(call, flags)) return;
  const auto deadline_ms = DeadlineMs(*amount, unit_ms, relative, call.now_ms, false);
  if (!deadline_ms) {
    return call.Error("ERR invalid expire time in '" + std::string(command) + "' command");
  }
  RecordEdit* edit = call.Edit(call.args[1]);
  if (edit == nullptr) return;
  if (!edit->Alive() || !FlagsAllow(flags, edit->ExpiryMs(), *deadline_ms)) {
    return call.reply.Int(0);
  }
  if (*deadline_ms <= call.now_ms) {
    edit->DeleteAll();
  } else {
    edit->SetExpiry(*deadline_ms);
  }
  call.reply.Int(1);
}

}  // namespace

void Ttl(Call& call) {
  ReplyTtl(call, TtlForm::kLeft, 1000);
}
void PTtl(Call& call) {
  ReplyTtl(call, TtlForm::kLeft, 1);
}
void ExpireTime(Call& call) {
  ReplyTtl(call, TtlForm::kAt, 1000);
}
void PExpireTime(Call& call) {
  ReplyTtl(call, TtlForm::kAt, 1);
}
void Expire(Call& call) {
  SetDeadline(call, 1000, true, "expire");
}
void PExpire(Call& call) {
  SetDeadline(call, 1, true, "pexpire");
}
void ExpireAt(Call& call) {
  SetDeadline(call, 1000, false, "expireat");
}
void PExpireAt(Call& call) {
  SetDeadline(call, 1, false, "pexpireat");
}

void Persist(Call& call) {
  RecordEdit* edit = call.Edit(call.args[1]);
  if (edit != nullptr) call.reply.Int(edit->ClearExpiry() ? 1 : 0);
}

// --- Whole records -------------------------------------------------------------------------------

void Del(Call& call) {
  if (!call.CheckKeys(1)) return;
  std::int64_t count = 0;
  for (std::size_t i = 1; i < call.args.size(); ++i) {
    if (call.Edit(call.args[i])->DeleteAll()) ++count;
  }
  call.reply.Int(count);
}

namespace {

// Everything visible of `from`, time to live included, replaces what `to` showed.
bool CopyRecord(Call& call, const RecordEdit& from, RecordEdit& to) {
  const std::vector<std::string> fields = from.VisibleFields();
  const auto expiry_ms = from.ExpiryMs();
  return AllOrNothing(call, to, [&](RecordEdit& edit) {
    bool first = true;
    for (const std::string& field : fields) {
      const std::string value = *from.Get(field);
      const auto done = first ? edit.ReplaceWith(field, value) : edit.Set(field, value);
      if (!done) {
        call.Error(done.error());
        return false;
      }
      first = false;
    }
    if (expiry_ms) edit.SetExpiry(*expiry_ms);
    return true;
  });
}

void RenameRecord(Call& call, bool only_if_free) {
  if (!call.CheckKeys(1)) return;
  RecordEdit* from = call.Edit(call.args[1]);
  RecordEdit* to = call.Edit(call.args[2]);
  if (!from->Alive()) return call.Error("ERR no such key");
  if (only_if_free && to->Alive()) return call.reply.Int(0);
  if (from != to) {
    if (!CopyRecord(call, *from, *to)) return;
    from->DeleteAll();
  }
  only_if_free ? call.reply.Int(1) : call.reply.Ok();
}

}  // namespace

void Rename(Call& call) {
  RenameRecord(call, false);
}
void RenameNx(Call& call) {
  RenameRecord(call, true);
}

void Copy(Call& call) {
  bool replace = false;
  for (std::size_t i = 3; i < call.args.size(); ++i) {
    if (call.Is(i, "REPLACE")) {
      replace = true;
    } else if (call.Is(i, "DB") && call.Has(i + 1)) {
      const auto db = call.Int(++i);
      if (!db) return;
      if (*db != 0) return call.Error("ERR DB index is out of range");
    } else {
      return call.Error(kSyntaxError);
    }
  }
  if (!ParseKeyName(call.args[1]) || !ParseKeyName(call.args[2])) return call.Error(kKeyTooBig);
  RecordEdit* from = call.Edit(call.args[1]);
  RecordEdit* to = call.Edit(call.args[2]);
  if (from == to) return call.Error("ERR source and destination objects are the same");
  if (!from->Alive() || (to->Alive() && !replace)) return call.reply.Int(0);
  if (CopyRecord(call, *from, *to)) call.reply.Int(1);
}

}  // namespace hawser::redis
