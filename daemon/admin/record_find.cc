// Records by the value of an indexed field.

#include <string>

#include "conflict/record_codec.h"
#include "daemon/admin/api.h"
#include "daemon/admin/page.h"
#include "daemon/admin/record_json.h"
#include "daemon/admin/text.h"
#include "daemon/token.h"
#include "storage/index_lookup.h"

namespace hawser::admin {
namespace {

constexpr char kTokenMark = 'f';
constexpr std::size_t kPageBytesMax = 1024 * 1024;  // a page ends past it

Problem Bad(std::string detail) {
  return {.status = 400, .code = "BADREQUEST", .detail = std::move(detail)};
}

struct Wish {
  std::string table, field, value;
  std::optional<std::string> after;
  std::uint64_t limit = kPageLimitDefault;
};

std::expected<Wish, Problem> PlanFind(const Call& call) {
  Wish wish{.table = call.params[0]};
  if (auto problem = CheckNames(wish.table, "")) return std::unexpected(std::move(*problem));
  const std::string* field = call.target.Query("field");
  const std::string* value = call.target.Query("value");
  if (!field || !value) return std::unexpected(Bad("`field` and `value` stand together"));
  if (call.target.Query("prefix") || call.target.Query("start")) {
    return std::unexpected(Bad("`field` and `value` do not stand with `prefix` or `start`"));
  }
  wish.field = *field;
  wish.value = *value;
  auto page = ReadPageWish(call.target, kTokenMark);
  if (!page) return std::unexpected(std::move(page.error()));
  wish.after = std::move(page->after);
  wish.limit = page->limit;
  return wish;
}

Problem ToProblem(const IndexRefusal& refusal, const IndexQuery& query) {
  switch (refusal.why) {
    case IndexRefusal::Why::kNotDeclared:
      return {.status = 422, .code = "NOINDEX", .detail = Text(refusal, query)};
    case IndexRefusal::Why::kBuilding:
      return {.status = 503,
              .code = "TRYAGAIN",
              .detail = Text(refusal, query),
              .retry_after_seconds = 1};
    case IndexRefusal::Why::kDamaged:
      break;
  }
  return {.status = 500, .code = "CORRUPT", .detail = Text(refusal, query)};
}

}  // namespace

void Api::FindRecords(const Call& call) {
  const auto wish = PlanFind(call);
  if (!wish) return call.Fail(wish.error());
  const IndexQuery query{.table = wish->table,
                         .field = wish->field,
                         .value = wish->value,
                         .after = wish->after,
                         .keys_max = wish->limit,
                         .now_ms = engine_.clock_ms()};
  const std::unique_ptr<View> view = reader_->Take();
  const auto page = LookUp(*view, query);
  if (!page) return call.Fail(ToProblem(page.error(), query));

  std::optional<std::string> next = page->next;
  JsonWriter json;
  json.BeginObject();
  json.Key("records");
  json.BeginArray();
  Record record;
  std::string row_key;
  for (const std::string& key : page->keys) {
    row_key.clear();
    AppendRowKey(wish->table, key, row_key);
    const auto bytes = view->Get(row_key);
    if (!bytes || !DecodeRecord(*bytes, record)) continue;  // not so: it was looked at just now
    admin::WriteRecord(wish->table, key, record, json);
    if (json.size() <= kPageBytesMax || key == page->keys.back()) continue;
    next = key;
    break;
  }
  json.EndArray();
  if (next) json.Member("next_page_token", PageToken(kTokenMark, *next));
  json.EndObject();
  HttpResponse response{.body = json.Take()};
  response.With("Hawser-Token", EncodeToken(view->cut()));
  call.Send(std::move(response));
}

}  // namespace hawser::admin
