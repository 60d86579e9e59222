// The units of a homed table that have a home, in byte order, by pages.

#include <algorithm>
#include <string>

#include "conflict/record_codec.h"
#include "daemon/admin/api.h"
#include "daemon/admin/home_json.h"
#include "daemon/admin/page.h"
#include "homing/home.h"

namespace hawser::admin {
namespace {

constexpr char kTokenMark = 'u';

struct Page {
  std::string table, prefix, start;  // `start`: the first unit wanted
  std::uint64_t limit = kPageLimitDefault;
};

std::expected<Page, Problem> PlanPage(const Call& call) {
  const std::string* table = call.target.Query("table");
  if (table == nullptr) {
    return std::unexpected(
        Problem{.status = 400, .code = "BADREQUEST", .detail = "`table` says of which table"});
  }
  Page page{.table = *table, .prefix = {}, .start = {}};
  if (auto problem = CheckNames(page.table, "")) return std::unexpected(std::move(*problem));
  if (const std::string* prefix = call.target.Query("prefix")) page.prefix = *prefix;
  page.start = page.prefix;
  auto wish = ReadPageWish(call.target, kTokenMark);
  if (!wish) return std::unexpected(std::move(wish.error()));
  // The next unit is the last one and a zero byte.
  if (wish->after) page.start = std::max(page.start, *wish->after + '\0');
  page.limit = wish->limit;
  return page;
}

}  // namespace

void Api::ListHomes(Call call) {
  const auto page = PlanPage(call);
  if (!page) return call.Fail(page.error());
  const auto homed = engine_.homed();
  if (!homed || !homed->contains(page->table)) {
    return call.Fail({.status = 404, .code = "NOTHOMED", .detail = "this table is not homed"});
  }
  const Proof proof = engine_.status().proof();  // before the view, which must not be older
  const auto view = reader_->Take();
  const std::string all = HomeRowKey(page->table, page->prefix);
  const std::size_t head = all.size() - page->prefix.size();
  const RegionNames name = [this](RegionId id) { return RegionName(id); };
  JsonWriter json;
  json.BeginObject();
  json.Key("homes");
  json.BeginArray();
  std::uint64_t given = 0;
  std::string last;
  bool more = false;
  view->Scan(HomeRowKey(page->table, page->start),
             [&](std::string_view row_key, std::string_view bytes) {
               if (!row_key.starts_with(all)) return false;
               if (given == page->limit) {
                 more = true;
                 return false;
               }
               const Home home = HomeOf(bytes, proof);
               if (home.state == HomeState::kNone) return true;
               last = row_key.substr(head);
               WriteHome(page->table, last, home, name, json);
               ++given;
               return true;
             });
  if (view->damaged()) {
    return call.Fail({.status = 500, .code = "DAMAGED", .detail = "a row is damaged on disk"});
  }
  json.EndArray();
  if (more) json.Member("next_page_token", PageToken(kTokenMark, last));
  json.EndObject();
  call.Send({.body = json.Take()});
}

}  // namespace hawser::admin
