#include <string>

#include "conflict/record_codec.h"
#include "daemon/admin/api.h"
#include "daemon/admin/page.h"
#include "daemon/admin/record_json.h"
#include "daemon/admin/text.h"
#include "daemon/token.h"

namespace hawser::admin {
namespace {

constexpr char kTokenMark = 'k';
constexpr std::size_t kPageBytesMax = 1024 * 1024;  // a page ends past it
constexpr std::size_t kRowsVisitedMax = 20'000;     // dead rows included: a page may be short
constexpr std::chrono::seconds kTokenWait{1};

std::chrono::seconds TokenWait(const HttpRequest& request) {
  const auto wait = PreferWaitSeconds(request);
  return wait ? std::chrono::seconds(*wait) : kTokenWait;
}

// True if the client would rather have the bare value than JSON: the first type in Accept decides.
bool WantsRaw(const HttpRequest& request) {
  const std::string* accept = request.Find("accept");
  if (!accept) return false;
  std::string_view rest = *accept;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const std::string_view item = rest.substr(0, comma);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    const std::string type = Lower(Trim(item.substr(0, item.find(';'))));
    if (type == "application/octet-stream") return true;
    if (type == "application/json" || type == "*/*" || type == "application/*") return false;
  }
  return false;
}

bool TagIsListed(const std::string* if_none_match, std::string_view version) {
  if (!if_none_match) return false;
  return Trim(*if_none_match) == "*" ||
         if_none_match->find('"' + std::string(version) + '"') != std::string::npos;
}

Problem NotFound() {
  return {.status = 404, .code = "NOTFOUND", .detail = "there is no such record"};
}

Problem Damaged() {
  return {.status = 500,
          .code = "CORRUPT",
          .detail = "the record is damaged on this region's disk: read it in another region"};
}

struct Page {
  std::string table;
  std::string prefix;
  std::string start;  // the first key wanted
  std::uint64_t limit = kPageLimitDefault;
};

std::expected<Page, Problem> PlanPage(const Call& call) {
  Page page{.table = call.params[0]};
  if (auto problem = CheckNames(page.table, "")) return std::unexpected(std::move(*problem));
  if (const std::string* prefix = call.target.Query("prefix")) page.prefix = *prefix;
  page.start = page.prefix;
  if (const std::string* start = call.target.Query("start"))
    page.start = std::max(page.start, *start);
  auto wish = ReadPageWish(call.target, kTokenMark);
  if (!wish) return std::unexpected(std::move(wish.error()));
  // The next key is the last one and a zero byte.
  if (wish->after) page.start = std::max(page.start, *wish->after + '\0');
  page.limit = wish->limit;
  return page;
}

}  // namespace

void Api::GetRecord(Call call) {
  if (auto problem = CheckNames(call.params[0], call.params[1]))
    return call.Fail(std::move(*problem));
  const auto wait = TokenWait(call.request);
  AfterToken(std::move(call), wait, [this](const Call& ready) { AnswerRecord(ready); });
}

void Api::AnswerRecord(const Call& call) {
  const std::unique_ptr<View> view = reader_->Take();
  const std::string token = EncodeToken(view->cut());
  std::string row_key;
  AppendRowKey(call.params[0], call.params[1], row_key);
  const auto fail = [&](Problem problem) {
    problem.headers.emplace_back("Hawser-Token", token);
    call.Fail(std::move(problem));
  };
  const auto bytes = view->Get(row_key);
  if (!bytes) return fail(NotFound());
  Record record;
  if (!DecodeRecord(*bytes, record)) return fail(Damaged());
  if (!IsAlive(record, engine_.clock_ms())) return fail(NotFound());

  HttpResponse response;
  const std::string version = VersionText(record);
  response.With("ETag", '"' + version + '"').With("Hawser-Token", token).With("Vary", "Accept");
  if (TagIsListed(call.request.Find("if-none-match"), version)) {
    response.status = 304;
    return call.Send(std::move(response));
  }
  if (WantsRaw(call.request)) {
    const Field* plain = record.Find(kStringField);
    const Shown shown = plain ? Show(*plain) : Shown{};
    if (!shown.visible) {
      return fail({.status = 406,
                   .code = "NOTPLAIN",
                   .detail = "the record has named fields and no plain value: ask with Accept: "
                             "application/json"});
    }
    response.content_type = "application/octet-stream";
    response.body = shown.is_counter ? shown.text : std::string(shown.value);
  } else {
    JsonWriter json;
    admin::WriteRecord(call.params[0], call.params[1], record, json);
    response.body = json.Take();
  }
  call.Send(std::move(response));
}

void Api::ListRecords(Call call) {
  const auto wait = TokenWait(call.request);
  AfterToken(std::move(call), wait, [this](const Call& ready) { AnswerList(ready); });
}

void Api::AnswerList(const Call& call) {
  if (call.target.Query("field") || call.target.Query("value")) return FindRecords(call);
  const auto page = PlanPage(call);
  if (!page) return call.Fail(page.error());
  const std::unique_ptr<View> view = reader_->Take();
  const std::int64_t now_ms = engine_.clock_ms();
  std::string start;
  AppendRowKey(page->table, page->start, start);
  JsonWriter json;
  json.BeginObject();
  json.Key("records");
  json.BeginArray();
  std::uint64_t given = 0;
  std::size_t visited = 0;
  std::optional<std::string> last;  // set when there may be more behind it
  bool damaged = false;
  std::string key;
  Record record;
  view->Scan(start, [&](std::string_view row_key, std::string_view bytes) {
    const RowKey row = SplitRowKey(row_key);
    if (row.table != page->table || !row.key.starts_with(page->prefix)) return false;
    if (given == page->limit || json.size() > kPageBytesMax || visited == kRowsVisitedMax) {
      last = key;
      return false;
    }
    ++visited;
    key = row.key;
    if (!DecodeRecord(bytes, record)) {
      damaged = true;
      return false;
    }
    if (!IsAlive(record, now_ms)) return true;
    admin::WriteRecord(row.table, row.key, record, json);
    ++given;
    return true;
  });
  if (damaged) return call.Fail(Damaged());
  json.EndArray();
  if (last) json.Member("next_page_token", PageToken(kTokenMark, *last));
  json.EndObject();
  HttpResponse response{.body = json.Take()};
  response.With("Hawser-Token", EncodeToken(view->cut()));
  call.Send(std::move(response));
}

}  // namespace hawser::admin
