#include "daemon/redis/inline_args.h"

namespace hawser::redis {
namespace {

bool IsBlank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char Escaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'a':
      return '\a';
    case 'b':
      return '\b';
    default:
      return c;
  }
}

}  // namespace

bool SplitInlineArgs(char* line, std::size_t size, std::vector<std::string_view>& args) {
  std::size_t read = 0;
  while (true) {
    while (read < size && IsBlank(line[read])) ++read;
    if (read == size) return true;
    const std::size_t begin = read;
    std::size_t write = read;
    char quote = 0;
    bool closed = false;
    for (; read < size; ++read) {
      const char c = line[read];
      if (closed) {
        if (!IsBlank(c)) return false;
        break;
      }
      if (quote == 0) {
        if (IsBlank(c)) break;
        if (c == '"' || c == '\'') {
          quote = c;
        } else {
          line[write++] = c;
        }
      } else if (c == quote) {
        quote = 0;
        closed = true;
      } else if (quote == '"' && c == '\\' && read + 1 < size) {
        const int high = read + 3 < size && line[read + 1] == 'x' ? HexDigit(line[read + 2]) : -1;
        const int low = high >= 0 ? HexDigit(line[read + 3]) : -1;
        if (low >= 0) {
          line[write++] = static_cast<char>(high * 16 + low);
          read += 3;
        } else {
          line[write++] = Escaped(line[++read]);
        }
      } else if (quote == '\'' && c == '\\' && read + 1 < size && line[read + 1] == '\'') {
        line[write++] = '\'';
        ++read;
      } else {
        line[write++] = c;
      }
    }
    if (quote != 0) return false;
    args.emplace_back(line + begin, write - begin);
  }
}

}  // namespace hawser::redis
