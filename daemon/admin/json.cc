#include "daemon/admin/json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_set>

namespace hawser::admin {
namespace {

// Takes the parser's events and builds the tree; what breaks a bound stops the parser.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return Add(Json{JsonNull{}}); }
  bool boolean(bool value) override { return Add(Json{value}); }
  bool number_integer(number_integer_t value) override { return Add(Json{std::int64_t{value}}); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value <= static_cast<std::uint64_t>(INT64_MAX)) {
      return Add(Json{static_cast<std::int64_t>(value)});
    }
    return Add(Json{JsonFloat{static_cast<double>(value), std::to_string(value)}});
  }
  bool number_float(number_float_t value, const string_t& text) override {
    return Add(Json{JsonFloat{value, text}});
  }
  bool string(string_t& text) override { return Add(Json{std::move(text)}); }
  bool binary(binary_t&) override { return Fail("binary"); }
  bool start_object(std::size_t) override { return Open(Json{JsonObject{}}); }
  bool start_array(std::size_t) override { return Open(Json{JsonArray{}}); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }
  bool key(string_t& name) override {
    if (!levels_.back().names.insert(name).second) return Fail("`" + name + "` comes twice");
    levels_.back().key = std::move(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    // The library's text quotes the input, which may be no UTF-8; the part before that is enough.
    std::string text = error.what();
    if (const auto at = text.find("; last read"); at != std::string::npos) text.resize(at);
    if (const auto at = text.find("] "); at != std::string::npos) text.erase(0, at + 2);
    return Fail(error.id == 406 ? "a number too large at byte " + std::to_string(position) : text);
  }

  std::string error_;
  Json root_;

 private:
  struct Level {
    Json node;
    std::string key;
    std::unordered_set<std::string> names;
  };

  bool Fail(std::string error) {
    if (error_.empty()) error_ = std::move(error);
    return false;
  }

  bool Count() {
    return ++nodes_ <= kJsonNodesMax ||
           Fail("more than " + std::to_string(kJsonNodesMax) + " values");
  }

  bool Add(Json node) { return Count() && Place(std::move(node)); }

  bool Place(Json node) {
    if (levels_.empty()) {
      root_ = std::move(node);
    } else if (auto* array = std::get_if<JsonArray>(&levels_.back().node.value)) {
      array->push_back(std::move(node));
    } else {
      std::get<JsonObject>(levels_.back().node.value)
          .emplace_back(std::move(levels_.back().key), std::move(node));
    }
    return true;
  }

  bool Open(Json node) {
    if (levels_.size() == kJsonDepthMax) {
      return Fail("nested deeper than " + std::to_string(kJsonDepthMax));
    }
    levels_.push_back({std::move(node), {}, {}});
    return Count();
  }

  bool Close() {
    Json node = std::move(levels_.back().node);
    levels_.pop_back();
    return Place(std::move(node));
  }

  std::vector<Level> levels_;
  std::size_t nodes_ = 0;
};

}  // namespace

const Json* Find(const JsonObject& object, std::string_view name) {
  const auto at = std::ranges::find(object, name, &JsonMember::first);
  return at == object.end() ? nullptr : &at->second;
}

std::expected<Json, std::string> ParseJson(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) return std::unexpected("a byte order mark comes first");
  // The library's lexer takes a zero byte for the end and would pass over what follows.
  if (text.find('\0') != std::string_view::npos) return std::unexpected("it holds a zero byte");
  Builder builder;
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder) || !builder.error_.empty()) {
    return std::unexpected(builder.error_.empty() ? "not JSON" : builder.error_);
  }
  return std::move(builder.root_);
}

}  // namespace hawser::admin
