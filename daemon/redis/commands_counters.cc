// Counters: adds go to this origin's share and add up with those of other regions.

#include <limits>

#include "daemon/redis/call.h"
#include "daemon/redis/edit_help.h"
#include "daemon/redis/handlers.h"

namespace hawser::redis {
namespace {

void AddToString(Call& call, std::int64_t delta) {
  RecordEdit* edit = call.Edit(call.args[1]);
  std::optional<std::string> old;
  if (edit == nullptr || !GetString(call, *edit, old)) return;
  const auto sum = edit->Add(kStringField, delta);
  sum ? call.reply.Int(*sum) : call.Error(sum.error());
}

void FloatError(Call& call, EditError error, std::string_view not_a_number) {
  if (error == EditError::kNotANumber) return call.Error(not_a_number);
  if (error == EditError::kOverflow) {
    return call.Error("ERR increment would produce NaN or Infinity");
  }
  call.Error(error);
}

}  // namespace

void Incr(Call& call) {
  AddToString(call, 1);
}
void Decr(Call& call) {
  AddToString(call, -1);
}

void IncrBy(Call& call) {
  if (const auto delta = call.Int(2)) AddToString(call, *delta);
}

void DecrBy(Call& call) {
  const auto delta = call.Int(2);
  if (!delta) return;
  if (*delta == std::numeric_limits<std::int64_t>::min()) {
    return call.Error("ERR decrement would overflow");
  }
  AddToString(call, -*delta);
}

void IncrByFloat(Call& call) {
  constexpr std::string_view kNotAFloat = "ERR value is not a valid float";
  const auto delta = ParseFloat(call.args[2]);
  if (!delta) return call.Error(kNotAFloat);
  RecordEdit* edit = call.Edit(call.args[1]);
  std::optional<std::string> old;
  if (edit == nullptr || !GetString(call, *edit, old)) return;
  const auto sum = edit->AddFloat(kStringField, *delta);
  if (!sum) return FloatError(call, sum.error(), kNotAFloat);
  call.reply.Bulk(FormatFloat(*sum));
}

void HIncrBy(Call& call) {
  const auto delta = call.Int(3);
  if (!delta || RefusesFieldName(call, call.args[2])) return;
  RecordEdit* edit = call.Edit(call.args[1]);
  if (edit == nullptr || RefusesHash(call, *edit)) return;
  const auto sum = edit->Add(call.args[2], *delta);
  sum ? call.reply.Int(*sum) : call.Error(sum.error(), true);
}

void HIncrByFloat(Call& call) {
  const auto delta = ParseFloat(call.args[3]);
  if (!delta) return call.Error("ERR value is not a valid float");
  if (RefusesFieldName(call, call.args[2])) return;
  RecordEdit* edit = call.Edit(call.args[1]);
  if (edit == nullptr || RefusesHash(call, *edit)) return;
  const auto sum = edit->AddFloat(call.args[2], *delta);
  if (!sum) return FloatError(call, sum.error(), "ERR hash value is not a float");
  call.reply.Bulk(FormatFloat(*sum));
}

}  // namespace hawser::redis
