#include <algorithm>

#include "daemon/redis/call.h"
#include "daemon/redis/edit_help.h"
#include "daemon/redis/handlers.h"
#include "daemon/redis/set_options.h"

namespace hawser::redis {
namespace {

// Writes the string part of a reading, or null; WRONGTYPE if the key is a hash only.
void ReplyString(Call& call, Reading& reading) {
  if (const auto value = reading.Get(kStringField)) return call.reply.Bulk(*value);
  if (reading.Alive()) return call.Error(kWrongType);
  call.reply.Null();
}

bool Replace(Call& call, RecordEdit& edit, std::string_view value, bool keep_ttl,
             RecordEdit::Effect& effect) {
  const auto done = edit.ReplaceWith(kStringField, value, keep_ttl);
  if (!done) {
    call.Error(done.error());
    return false;
  }
  effect = *done;
  return true;
}

// A write that the field's rule swallows (a smaller max …) is told from one that took effect.
bool TookEffect(const RecordEdit& edit, RecordEdit::Effect effect, std::string_view value) {
  return effect == RecordEdit::Effect::kWritten || edit.Get(kStringField) == value;
}

void SetWithTtl(Call& call, std::int64_t unit_ms, std::string_view command) {
  const auto amount = call.Int(2);
  if (!amount) return;
  const auto deadline = DeadlineMs(*amount, unit_ms, true, call.now_ms, true);
  if (!deadline) {
    return call.Error("ERR invalid expire time in '" + std::string(command) + "' command");
  }
  RecordEdit* edit = call.Edit(call.args[1]);
  if (edit == nullptr) return;
  RecordEdit::Effect effect{};
  if (!Replace(call, *edit, call.args[3], false, effect)) return;
  edit->SetExpiry(*deadline);
  TookEffect(*edit, effect, call.args[3]) ? call.reply.Ok() : call.reply.Null();
}

}  // namespace

void Get(Call& call) {
  if (Reading* reading = call.Read(call.args[1])) ReplyString(call, *reading);
}

void MGet(Call& call) {
  if (!call.CheckKeys(1)) return;
  call.reply.Array(call.args.size() - 1);
  for (std::size_t i = 1; i < call.args.size(); ++i) {
    const auto value = call.Read(call.args[i])->Get(kStringField);
    value ? call.reply.Bulk(*value) : call.reply.Null();
  }
}

void StrLen(Call& call) {
  Reading* reading = call.Read(call.args[1]);
  if (reading == nullptr) return;
  if (const auto value = reading->Get(kStringField)) {
    return call.reply.Int(static_cast<std::int64_t>(value->size()));
  }
  reading->Alive() ? call.Error(kWrongType) : call.reply.Int(0);
}

void GetRange(Call& call) {
  const auto first = call.Int(2);
  if (!first) return;
  const auto last = call.Int(3);
  if (!last) return;
  Reading* reading = call.Read(call.args[1]);
  if (reading == nullptr) return;
  const auto value = reading->Get(kStringField);
  if (!value) return reading->Alive() ? call.Error(kWrongType) : call.reply.Bulk("");
  const auto size = static_cast<std::int64_t>(value->size());
  if (*first < 0 && *last < 0 && *first > *last) return call.reply.Bulk("");
  const std::int64_t begin = std::max<std::int64_t>(0, *first < 0 ? *first + size : *first);
  std::int64_t end = std::max<std::int64_t>(0, *last < 0 ? *last + size : *last);
  end = std::min(end, size - 1);
  if (begin > end || size == 0) return call.reply.Bulk("");
  call.reply.Bulk(
      value->substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin + 1)));
}

void Set(Call& call) {
  SetOptions options;
  if (call.args.size() > 3 && !ParseSetOptions(call, 3, options)) return;
  RecordEdit* edit = call.Edit(call.args[1]);
  if (edit == nullptr) return;
  std::optional<std::string> old;
  if (options.get && !GetString(call, *edit, old)) return;
  const auto reply_old = [&] { old ? call.reply.Bulk(*old) : call.reply.Null(); };
  if ((options.nx && edit->Alive()) || (options.xx && !edit->Alive())) {
    return options.get ? reply_old() : call.reply.Null();
  }
  RecordEdit::Effect effect{};
  if (!Replace(call, *edit, call.args[2], options.keep_ttl, effect)) return;
  if (options.deadline_ms) edit->SetExpiry(*options.deadline_ms);
  if (options.get) return reply_old();
  TookEffect(*edit, effect, call.args[2]) ? call.reply.Ok() : call.reply.Null();
}

void SetNx(Call& call) {
  RecordEdit* edit = call.Edit(call.args[1]);
  if (edit == nullptr) return;
  if (edit->Alive()) return call.reply.Int(0);
  RecordEdit::Effect effect{};
  if (Replace(call, *edit, call.args[2], false, effect)) call.reply.Int(1);
}

void SetEx(Call& call) {
  SetWithTtl(call, 1000, "setex");
}
void PSetEx(Call& call) {
  SetWithTtl(call, 1, "psetex");
}

void GetSet(Call& call) {
  RecordEdit* edit = call.Edit(call.args[1]);
  std::optional<std::string> old;
  if (edit == nullptr || !GetString(call, *edit, old)) return;
  RecordEdit::Effect effect{};
  if (!Replace(call, *edit, call.args[2], false, effect)) return;
  old ? call.reply.Bulk(*old) : call.reply.Null();
}

void GetDel(Call& call) {
  RecordEdit* edit = call.Edit(call.args[1]);
  std::optional<std::string> old;
  if (edit == nullptr || !GetString(call, *edit, old)) return;
  if (!old) return call.reply.Null();
  edit->DeleteAll();
  call.reply.Bulk(*old);
}

void GetEx(Call& call) {
  GetExOptions options;
  if (!ParseGetExOptions(call, 2, options)) return;
  RecordEdit* edit = call.Edit(call.args[1]);
  std::optional<std::string> value;
  if (edit == nullptr || !GetString(call, *edit, value)) return;
  if (!value) return call.reply.Null();
  if (options.persist) edit->ClearExpiry();
  if (options.deadline_ms) edit->SetExpiry(*options.deadline_ms);
  call.reply.Bulk(*value);
}

namespace {

bool SetAll(Call& call) {
  if (call.in_multi) {  // a refused value must not leave half of the command behind
    for (std::size_t i = 1; i < call.args.size(); i += 2) {
      RecordEdit copy = *call.Edit(call.args[i]);
      RecordEdit::Effect effect{};
      if (!Replace(call, copy, call.args[i + 1], false, effect)) return false;
    }
  }
  for (std::size_t i = 1; i < call.args.size(); i += 2) {
    RecordEdit::Effect effect{};
    if (!Replace(call, *call.Edit(call.args[i]), call.args[i + 1], false, effect)) return false;
  }
  return true;
}

bool PairsAndKeysFit(Call& call, std::string_view command) {
  if (call.args.size() % 2 == 0) {
    call.Error("ERR wrong number of arguments for '" + std::string(command) + "' command");
    return false;
  }
  return call.CheckKeys(1, 2);
}

}  // namespace

void MSet(Call& call) {
  if (PairsAndKeysFit(call, "mset") && SetAll(call)) call.reply.Ok();
}

void MSetNx(Call& call) {
  if (!PairsAndKeysFit(call, "msetnx")) return;
  for (std::size_t i = 1; i < call.args.size(); i += 2) {
    if (call.Edit(call.args[i])->Alive()) return call.reply.Int(0);
  }
  if (SetAll(call)) call.reply.Int(1);
}

void Append(Call& call) {
  RecordEdit* edit = call.Edit(call.args[1]);
  std::optional<std::string> old;
  if (edit == nullptr || !GetString(call, *edit, old)) return;
  std::string value = std::move(old).value_or(std::string());
  if (value.size() + call.args[2].size() > kStringBytesMax) {
    return call.Error("TOOBIG the string would be longer than 16 MiB");
  }
  value.append(call.args[2]);
  if (const auto done = edit->Set(kStringField, value); !done) return call.Error(done.error());
  call.reply.Int(static_cast<std::int64_t>(value.size()));
}

void SetRange(Call& call) {
  const auto offset = call.Int(2);
  if (!offset) return;
  if (*offset < 0) return call.Error("ERR offset is out of range");
  RecordEdit* edit = call.Edit(call.args[1]);
  std::optional<std::string> old;
  if (edit == nullptr || !GetString(call, *edit, old)) return;
  std::string value = std::move(old).value_or(std::string());
  if (call.args[3].empty()) return call.reply.Int(static_cast<std::int64_t>(value.size()));
  const auto begin = static_cast<std::size_t>(*offset);
  if (begin > kStringBytesMax || begin + call.args[3].size() > kStringBytesMax) {
    return call.Error("TOOBIG the string would be longer than 16 MiB");
  }
  value.resize(std::max(value.size(), begin + call.args[3].size()), '\0');
  value.replace(begin, call.args[3].size(), call.args[3]);
  if (const auto done = edit->Set(kStringField, value); !done) return call.Error(done.error());
  call.reply.Int(static_cast<std::int64_t>(value.size()));
}

}  // namespace hawser::redis
