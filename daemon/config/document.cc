#include "daemon/config/document.h"

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include <algorithm>

namespace hawser::config {
namespace {

int LineOf(const toml::node& node) {
  return static_cast<int>(node.source().begin.line);
}

Node Convert(const toml::node& from) {
  Node node;
  node.line = LineOf(from);
  if (const auto* text = from.as_string()) {
    node.kind = Node::Kind::kText;
    node.text = text->get();
  } else if (const auto* integer = from.as_integer()) {
    node.kind = Node::Kind::kInteger;
    node.integer = integer->get();
  } else if (const auto* boolean = from.as_boolean()) {
    node.kind = Node::Kind::kBoolean;
    node.integer = boolean->get() ? 1 : 0;
  } else if (from.is_floating_point()) {
    node.kind = Node::Kind::kFloat;
  } else if (const auto* array = from.as_array()) {
    node.kind = Node::Kind::kArray;
    for (const toml::node& item : *array) node.items.push_back(Convert(item));
  } else if (const auto* table = from.as_table()) {
    node.kind = Node::Kind::kTable;
    for (const auto& [key, value] : *table) {
      node.members.emplace_back(std::string(key.str()), Convert(value));
      // A value's own place is after the "="; of an implicit table toml++ knows none.
      const int key_line = static_cast<int>(key.source().begin.line);
      if (key_line > 0) node.members.back().second.line = key_line;
    }
    std::ranges::stable_sort(node.members, {},
                             [](const auto& member) { return member.second.line; });
  } else {
    node.kind = Node::Kind::kTime;
  }
  return node;
}

}  // namespace

const Node* Node::Find(std::string_view name) const {
  for (const auto& [key, value] : members) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::string_view Text(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::kText:
      return "text";
    case Node::Kind::kInteger:
      return "an integer";
    case Node::Kind::kFloat:
      return "a fraction";
    case Node::Kind::kBoolean:
      return "true or false";
    case Node::Kind::kTime:
      return "a date or time";
    case Node::Kind::kArray:
      return "a list";
    case Node::Kind::kTable:
      return "a table";
  }
  return "?";
}

std::expected<Node, SyntaxError> ParseToml(std::string_view text) {
  const toml::parse_result result = toml::parse(text);
  if (!result) {
    const toml::parse_error& error = result.error();
    return std::unexpected(
        SyntaxError{static_cast<int>(error.source().begin.line), std::string(error.description())});
  }
  return Convert(result.table());
}

}  // namespace hawser::config
