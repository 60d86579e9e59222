#include "daemon/admin/write_key.h"

#include <algorithm>
#include <bit>

#include "conflict/bytes.h"
#include "daemon/admin/text.h"
#include "storage/sha256.h"

namespace hawser::admin {
namespace {

using Failure = std::unexpected<Problem>;

constexpr std::string_view kFormat = "1";
constexpr std::size_t kDigestBytes = 16;

std::string Hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

std::string Hex(std::uint64_t number) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>(static_cast<std::uint8_t>(number >> shift)));
  }
  return Hex(bytes);
}

void PutBool(std::string& out, bool yes) {
  PutByte(out, yes ? 1 : 0);
}

void PutChange(std::string& out, const PlannedChange& change) {
  PutByte(out, static_cast<std::uint8_t>(change.op));
  PutText(out, change.table);
  PutText(out, change.key);
  PutVarint(out, change.fields.size());
  for (const PlannedField& field : change.fields) {
    PutText(out, field.name);
    PutBool(out, field.value.has_value());
    if (field.value) PutText(out, *field.value);
  }
  PutBool(out, change.has_expiry);
  PutBool(out, change.expires_at_ms.has_value());
  PutZigzag(out, change.expires_at_ms.value_or(0));
  PutText(out, change.field);
  if (const auto* whole = std::get_if<std::int64_t>(&change.by)) {
    PutByte(out, 0);
    PutZigzag(out, *whole);
  } else {
    PutByte(out, 1);
    PutFixed64(out, std::bit_cast<std::uint64_t>(std::get<double>(change.by)));
  }
  PutText(out, change.owner);
  const Condition& condition = change.condition;
  PutBool(out, condition.must_exist);
  PutBool(out, condition.must_be_absent);
  PutBool(out, condition.has_versions);
  PutVarint(out, condition.versions.size());
  for (const std::string& version : condition.versions) PutText(out, version);
}

// Of what was understood, not of the bytes sent: spaces and the order of members do not matter.
std::string Digest(const WritePlan& plan, bool single) {
  std::string bytes;
  PutBool(bytes, single);
  for (const PlannedChange& change : plan) PutChange(bytes, change);
  return Hex(std::string_view(Sha256(bytes)).substr(0, kDigestBytes));
}

// Takes what stands before the next `end`.
std::string_view Take(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  const std::string_view word = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
  return word;
}

std::optional<ChangeResult> ReadResult(std::string_view text, const PlannedChange& change) {
  const std::string_view shown = Take(text, ',');
  if (shown.size() != 2) return std::nullopt;
  ChangeResult result{.existed = shown[0] == '1', .exists = shown[1] == '1'};
  result.version = Take(text, ',');
  result.value = Take(text, ',');
  while (!text.empty()) {
    const auto at = ParseUint(Take(text, '.'), change.fields.size());
    if (!at || *at == change.fields.size()) return std::nullopt;
    result.no_op.push_back(change.fields[*at].name);
  }
  return result;
}

}  // namespace

std::expected<std::optional<WriteKey>, Problem> PlanKey(const HttpRequest& request,
                                                        const WritePlan& plan) {
  const std::string* header = request.Find("idempotency-key");
  if (header == nullptr) return std::nullopt;
  const std::string_view id = Trim(*header);
  if (request.Count("idempotency-key") > 1 || !IsRequestId(id)) {
    return Failure(Problem{.status = 400,
                           .code = "BADREQUEST",
                           .detail = "Idempotency-Key comes once and has 1 to " +
                                     std::to_string(kRequestIdBytesMax) + " bytes"});
  }
  return WriteKey{.id = std::string(id), .digest = Digest(plan, request.method != Method::kPost)};
}

std::string EncodeKept(const WriteKey& key, const Origin& self, const WritePlan& plan,
                       const std::vector<ChangeResult>& results) {
  std::string out(kFormat);
  out.append(" ").append(key.digest);
  out.append(" ").append(std::to_string(Raw(self.region)));
  out.append("-").append(Hex(Raw(self.incarnation)));
  char before = ' ';
  for (std::size_t i = 0; i < results.size(); ++i) {
    const ChangeResult& result = results[i];
    out.push_back(std::exchange(before, ';'));
    out.append(result.existed ? "1" : "0").append(result.exists ? "1," : "0,");
    out.append(result.version).append(",").append(result.value).append(",");
    for (std::size_t j = 0; j < result.no_op.size(); ++j) {
      const auto at = std::ranges::find(plan[i].fields, result.no_op[j], &PlannedField::name);
      if (j > 0) out.push_back('.');
      out.append(std::to_string(at - plan[i].fields.begin()));
    }
  }
  return out;
}

std::expected<std::vector<ChangeResult>, Problem> DecodeKept(std::string_view kept,
                                                             const WriteKey& key,
                                                             const WritePlan& plan) {
  if (Take(kept, ' ') != kFormat) {
    return Failure(Problem{.status = 503,
                           .code = "IDEMPOTENCY",
                           .detail = "this key's first answer was kept by newer software: send the "
                                     "request to a region that runs it",
                           .retry_after_seconds = 30});
  }
  if (Take(kept, ' ') != key.digest) {
    return Failure(Problem{.status = 422,
                           .code = "IDEMPOTENCY",
                           .detail = "this Idempotency-Key was used for another request: nothing "
                                     "was written. Give every request a key of its own, and the "
                                     "same key only to the same request"});
  }
  Take(kept, ' ');
  std::vector<ChangeResult> results;
  for (const PlannedChange& change : plan) {
    auto result = ReadResult(Take(kept, ';'), change);
    if (!result) {
      return Failure(Problem{
          .status = 500, .code = "INTERNAL", .detail = "this key's first answer cannot be read"});
    }
    results.push_back(std::move(*result));
  }
  return results;
}

}  // namespace hawser::admin
