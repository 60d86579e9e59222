#pragma once

// Server-sent events as text, and the positions they carry as ids. Pure.

#include <optional>
#include <string>
#include <string_view>

#include "conflict/types.h"
#include "daemon/admin/http_message.h"
#include "daemon/admin/target.h"

namespace hawser::admin {

// What an event says must be one line, as our JSON is.
void AppendEvent(std::string_view event, std::string_view id, std::string_view data,
                 std::string& out);
// No event, only the position a client goes on from; `comment` keeps proxies awake.
void AppendPosition(std::string_view comment, std::string_view id, std::string& out);

// A position of a feed in the log of one store, so that one of another region, or of a store that
// was restored, is known as such. `feed` is a letter per kind of feed.
struct FeedPosition {
  Incarnation store{};
  std::string place;
};
std::string FeedPositionText(char feed, const FeedPosition& position);
std::optional<FeedPosition> ParseFeedPosition(char feed, std::string_view text);

// Where a client wants to go on: the Last-Event-ID that it sends by itself after a cut, which is
// newer than the `from` of the query it repeats; else that. Null: neither.
const std::string* AskedPosition(const HttpRequest& request, const Target& target);

}  // namespace hawser::admin
