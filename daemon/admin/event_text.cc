#include "daemon/admin/event_text.h"

#include "conflict/bytes.h"
#include "daemon/base64.h"

namespace hawser::admin {

void AppendEvent(std::string_view event, std::string_view id, std::string_view data,
                 std::string& out) {
  out.append("event: ").append(event).append("\nid: ").append(id);
  out.append("\ndata: ").append(data).append("\n\n");
}

void AppendPosition(std::string_view comment, std::string_view id, std::string& out) {
  out.append(": ").append(comment).append("\nid: ").append(id).append("\n\n");
}

std::string FeedPositionText(char feed, const FeedPosition& position) {
  std::string bytes(1, feed);
  PutFixed64(bytes, Raw(position.store));
  return ToBase64Url(bytes + position.place);
}

std::optional<FeedPosition> ParseFeedPosition(char feed, std::string_view text) {
  const auto bytes = FromBase64Url(text);
  if (!bytes || bytes->size() < 9 || bytes->front() != feed) return std::nullopt;
  ByteReader in(std::string_view(*bytes).substr(1, 8));
  return FeedPosition{.store = Incarnation{in.Fixed64()}, .place = bytes->substr(9)};
}

const std::string* AskedPosition(const HttpRequest& request, const Target& target) {
  const std::string* last = request.Find("last-event-id");
  return last && !last->empty() ? last : target.Query("from");
}

}  // namespace hawser::admin
