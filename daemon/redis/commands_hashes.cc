#include <algorithm>
#include <random>

#include "daemon/redis/call.h"
#include "daemon/redis/edit_help.h"
#include "daemon/redis/glob.h"
#include "daemon/redis/handlers.h"

namespace hawser::redis {
namespace {

// A reading that hash commands may look at: nullptr after WRONGTYPE for a plain string.
Reading* ReadHash(Call& call) {
  Reading* reading = call.Read(call.args[1]);
  if (reading == nullptr) return nullptr;
  if (reading->Alive() && !reading->HasNamedFields()) {
    call.Error(kWrongType);
    return nullptr;
  }
  return reading;
}

void ReplyField(Call& call, Reading& reading, std::string_view field) {
  const auto value = field.empty() ? std::nullopt : reading.Get(field);
  value ? call.reply.Bulk(*value) : call.reply.Null();
}

}  // namespace

void HGet(Call& call) {
  if (Reading* reading = ReadHash(call)) ReplyField(call, *reading, call.args[2]);
}

void HMGet(Call& call) {
  Reading* reading = ReadHash(call);
  if (reading == nullptr) return;
  call.reply.Array(call.args.size() - 2);
  for (std::size_t i = 2; i < call.args.size(); ++i) ReplyField(call, *reading, call.args[i]);
}

void HGetAll(Call& call) {
  Reading* reading = ReadHash(call);
  if (reading == nullptr) return;
  const auto& names = reading->NamedFields();
  call.reply.Map(names.size());
  for (const std::string_view name : names) {
    call.reply.Bulk(name);
    call.reply.Bulk(*reading->Get(name));
  }
}

void HKeys(Call& call) {
  Reading* reading = ReadHash(call);
  if (reading == nullptr) return;
  const auto& names = reading->NamedFields();
  call.reply.Array(names.size());
  for (const std::string_view name : names) call.reply.Bulk(name);
}

void HVals(Call& call) {
  Reading* reading = ReadHash(call);
  if (reading == nullptr) return;
  const auto& names = reading->NamedFields();
  call.reply.Array(names.size());
  for (const std::string_view name : names) call.reply.Bulk(*reading->Get(name));
}

void HExists(Call& call) {
  Reading* reading = ReadHash(call);
  if (reading == nullptr) return;
  call.reply.Int(!call.args[2].empty() && reading->Get(call.args[2]) ? 1 : 0);
}

void HLen(Call& call) {
  Reading* reading = ReadHash(call);
  if (reading == nullptr) return;
  call.reply.Int(static_cast<std::int64_t>(reading->NamedFields().size()));
}

void HStrLen(Call& call) {
  Reading* reading = ReadHash(call);
  if (reading == nullptr) return;
  const auto value = call.args[2].empty() ? std::nullopt : reading->Get(call.args[2]);
  call.reply.Int(value ? static_cast<std::int64_t>(value->size()) : 0);
}

// A record is bounded by max_record, so one answer holds it all and the cursor ends at once.
void HScan(Call& call) {
  std::string_view match = "*";
  if (!call.Int(2, "ERR invalid cursor")) return;
  for (std::size_t i = 3; i < call.args.size(); i += 2) {
    if (!call.Has(i + 1)) return call.Error(kSyntaxError);
    if (call.Is(i, "MATCH")) {
      match = call.args[i + 1];
    } else if (call.Is(i, "COUNT")) {
      const auto count = call.Int(i + 1);
      if (!count) return;
      if (*count < 1) return call.Error(kSyntaxError);
    } else {
      return call.Error(kSyntaxError);
    }
  }
  Reading* reading = ReadHash(call);
  if (reading == nullptr) return;
  std::vector<std::string_view> names;
  for (const std::string_view name : reading->NamedFields()) {
    if (GlobMatches(match, name)) names.push_back(name);
  }
  call.reply.Array(2);
  call.reply.Bulk("0");
  call.reply.Array(names.size() * 2);
  for (const std::string_view name : names) {
    call.reply.Bulk(name);
    call.reply.Bulk(*reading->Get(name));
  }
}

namespace {

constexpr std::int64_t kRandomFieldsMax = 1'000'000;

std::mt19937_64& Random() {
  thread_local std::mt19937_64 random{std::random_device{}()};
  return random;
}

// `count` < 0: with repeats; else distinct.
std::vector<std::string_view> Pick(const std::vector<std::string_view>& names, std::int64_t count) {
  std::vector<std::string_view> picked;
  if (names.empty()) return picked;
  if (count >= 0) {
    std::ranges::sample(names, std::back_inserter(picked), count, Random());
    std::ranges::shuffle(picked, Random());
    return picked;
  }
  std::uniform_int_distribution<std::size_t> any(0, names.size() - 1);
  for (std::int64_t i = 0; i < -count; ++i) picked.push_back(names[any(Random())]);
  return picked;
}

}  // namespace

void HRandField(Call& call) {
  if (call.args.size() > 4 || (call.args.size() == 4 && !call.Is(3, "WITHVALUES"))) {
    return call.Error(kSyntaxError);
  }
  const bool with_values = call.args.size() == 4;
  std::int64_t count = 1;
  if (call.Has(2)) {
    const auto wanted = call.Int(2);
    if (!wanted) return;
    if (*wanted < -kRandomFieldsMax) return call.Error("ERR value is out of range");
    count = *wanted;
  }
  Reading* reading = ReadHash(call);
  if (reading == nullptr) return;
  const std::vector<std::string_view> picked = Pick(reading->NamedFields(), count);
  if (!call.Has(2)) return picked.empty() ? call.reply.Null() : call.reply.Bulk(picked.front());
  const bool pairs = with_values && call.reply.protocol() == 3;
  call.reply.Array(picked.size() * (with_values && !pairs ? 2 : 1));
  for (const std::string_view name : picked) {
    if (pairs) call.reply.Array(2);
    call.reply.Bulk(name);
    if (with_values) call.reply.Bulk(*reading->Get(name));
  }
}

// --- Writes
// ----------------------------------------------------------------------------------------

namespace {

// HSET and HMSET: how many fields are new; nullopt after an error.
std::optional<std::int64_t> SetFields(Call& call, std::string_view command) {
  if (call.args.size() % 2 != 0) {
    call.Error("ERR wrong number of arguments for '" + std::string(command) + "' command");
    return std::nullopt;
  }
  for (std::size_t i = 2; i < call.args.size(); i += 2) {
    if (RefusesFieldName(call, call.args[i])) return std::nullopt;
  }
  RecordEdit* edit = call.Edit(call.args[1]);
  if (edit == nullptr || RefusesHash(call, *edit)) return std::nullopt;
  std::int64_t added = 0;
  const bool done = AllOrNothing(call, *edit, [&](RecordEdit& to) {
    added = 0;
    for (std::size_t i = 2; i < call.args.size(); i += 2) {
      if (!to.Get(call.args[i])) ++added;
      if (const auto set = to.Set(call.args[i], call.args[i + 1]); !set) {
        call.Error(set.error());
        return false;
      }
    }
    return true;
  });
  if (!done) return std::nullopt;
  return added;
}

}  // namespace

void HSet(Call& call) {
  if (const auto added = SetFields(call, "hset")) call.reply.Int(*added);
}

void HMSet(Call& call) {
  if (SetFields(call, "hmset")) call.reply.Ok();
}

void HSetNx(Call& call) {
  if (RefusesFieldName(call, call.args[2])) return;
  RecordEdit* edit = call.Edit(call.args[1]);
  if (edit == nullptr || RefusesHash(call, *edit)) return;
  if (edit->Get(call.args[2])) return call.reply.Int(0);
  const auto done = edit->Set(call.args[2], call.args[3]);
  done ? call.reply.Int(1) : call.Error(done.error());
}

void HDel(Call& call) {
  RecordEdit* edit = call.Edit(call.args[1]);
  if (edit == nullptr || RefusesHash(call, *edit)) return;
  std::int64_t count = 0;
  for (std::size_t i = 2; i < call.args.size(); ++i) {
    if (!call.args[i].empty() && edit->Delete(call.args[i])) ++count;
  }
  call.reply.Int(count);
}

}  // namespace hawser::redis
