// ReadValue: one value against its row of the key table.

#include <algorithm>

#include "daemon/config/near.h"
#include "daemon/config/reading.h"
#include "daemon/config/units.h"

namespace hawser::config {
namespace {

std::unexpected<std::string> Fail(std::string text) {
  return std::unexpected(std::move(text));
}

std::string_view Expected(KeyType type) {
  switch (type) {
    case KeyType::kText:
    case KeyType::kChoice:
      return "a text in quotes";
    case KeyType::kTexts:
      return "a list of texts in brackets, such as [\"a\", \"b\"]";
    case KeyType::kSize:
      return "a size in quotes with its unit, such as \"64MiB\"";
    case KeyType::kDuration:
      return "a duration in quotes with its unit, such as \"200ms\"";
    case KeyType::kInteger:
      return "a whole number without quotes";
    case KeyType::kBoolean:
      return "true or false without quotes";
  }
  return "?";
}

std::string Amount(KeyType type, std::int64_t number) {
  if (type == KeyType::kSize) return FormatSize(static_cast<std::uint64_t>(number));
  if (type == KeyType::kDuration) return FormatDuration(number);
  return std::to_string(number);
}

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    words.push_back(text.substr(0, space));
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  return words;
}

std::string ChoiceProblem(const Key& key, const std::string& text) {
  const std::vector<std::string_view> words = Words(key.choices);
  if (std::ranges::find(words, text) != words.end()) return {};
  std::string list;
  for (const std::string_view word : words) {
    if (!list.empty()) list += word == words.back() ? " or " : ", ";
    list += Quoted(word);
  }
  const std::string_view near = Nearest(text, words);
  return Quoted(text.substr(0, 40)) + " is unknown; " +
         (near.empty() ? "write " + list : "did you mean " + Quoted(near) + "? It is " + list);
}

std::expected<Value, std::string> WithinBounds(const Key& key, std::int64_t number) {
  if (number < key.min || number > key.max) {
    return Fail(Amount(key.type, number) + " is out of bounds; write " + Amount(key.type, key.min) +
                " to " + Amount(key.type, key.max));
  }
  return Value{.number = number};
}

std::expected<Value, std::string> ReadTyped(const Key& key, const Node& node) {
  using Kind = Node::Kind;
  const auto wrong = [&] {
    return Fail("is " + std::string(Text(node.kind)) + "; write " +
                std::string(Expected(key.type)));
  };
  switch (key.type) {
    case KeyType::kText:
    case KeyType::kChoice: {
      if (node.kind != Kind::kText) return wrong();
      if (key.type == KeyType::kChoice) {
        if (std::string problem = ChoiceProblem(key, node.text); !problem.empty())
          return Fail(problem);
      }
      return Value{.text = node.text};
    }
    case KeyType::kTexts: {
      if (node.kind != Kind::kArray) return wrong();
      Value value;
      for (const Node& item : node.items) {
        if (item.kind != Kind::kText) {
          return Fail("holds " + std::string(Text(item.kind)) + "; write " +
                      std::string(Expected(key.type)));
        }
        value.texts.push_back(item.text);
      }
      return value;
    }
    case KeyType::kSize: {
      if (node.kind != Kind::kText) return wrong();
      const auto bytes = ParseSize(node.text);
      if (!bytes) return Fail(bytes.error());
      return WithinBounds(key, static_cast<std::int64_t>(*bytes));
    }
    case KeyType::kDuration: {
      if (node.kind != Kind::kText) return wrong();
      const auto ms = ParseDuration(node.text);
      if (!ms) return Fail(ms.error());
      return WithinBounds(key, *ms);
    }
    case KeyType::kInteger:
      if (node.kind != Kind::kInteger) return wrong();
      return WithinBounds(key, node.integer);
    case KeyType::kBoolean:
      if (node.kind != Kind::kBoolean) return wrong();
      return Value{.number = node.integer};
  }
  return wrong();
}

}  // namespace

std::expected<Value, std::string> ReadValue(const Key& key, const Node& node) {
  auto value = ReadTyped(key, node);
  if (value && key.problem != nullptr) {
    if (std::string problem = key.problem(*value); !problem.empty()) return Fail(problem);
  }
  return value;
}

}  // namespace hawser::config
