#pragma once

// Document: a TOML file as a plain tree with lines. document.cc is the only file that includes
// toml++.
// Threads: free functions; a Node is a plain value.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hawser::config {

struct Member;
struct Node {
  enum class Kind : std::uint8_t { kText, kInteger, kFloat, kBoolean, kTime, kArray, kTable };
  Kind kind = Kind::kTable;
  int line = 0;                 // 1 is the first
  std::string text;             // kText
  std::int64_t integer = 0;     // kInteger, kBoolean (0 or 1)
  std::vector<Node> items;      // kArray
  std::vector<Member> members;  // kTable, as they stand in the file

  const Node* Find(std::string_view name) const;
};
struct Member {
  std::string first;  // its name
  Node second;
};
// "text", "an integer", "a table" …
std::string_view Text(Node::Kind kind);

struct SyntaxError {
  int line = 0;
  std::string text;
};

// The whole file as one table. Only the first syntax error is known.
std::expected<Node, SyntaxError> ParseToml(std::string_view text);

}  // namespace hawser::config
