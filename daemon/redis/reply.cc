#include "daemon/redis/reply.h"

#include <charconv>

namespace hawser::redis {
namespace {

template <typename Number>
void AppendLine(std::string& out, char type, Number number) {
  char line[32];
  line[0] = type;
  char* end = std::to_chars(line + 1, line + sizeof line - 2, number).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out.append(line, static_cast<std::size_t>(end - line));
}

void AppendOneLine(std::string& out, char type, std::string_view text) {
  out.push_back(type);
  for (const char c : text) out.push_back(c == '\r' || c == '\n' ? ' ' : c);
  out.append("\r\n");
}

}  // namespace

void Reply::Header(char type, std::size_t count) {
  AppendLine(*out_, type, count);
}
void Reply::Simple(std::string_view text) {
  AppendOneLine(*out_, '+', text);
}
void Reply::Error(std::string_view text) {
  AppendOneLine(*out_, '-', text);
}
void Reply::Int(std::int64_t number) {
  AppendLine(*out_, ':', number);
}

void Reply::Bulk(std::string_view bytes) {
  AppendLine(*out_, '$', bytes.size());
  out_->append(bytes);
  out_->append("\r\n");
}

void Reply::Double(std::string_view text) {
  if (protocol_ == 3) return AppendOneLine(*out_, ',', text);
  Bulk(text);
}

void Reply::Verbatim(std::string_view text) {
  if (protocol_ != 3) return Bulk(text);
  AppendLine(*out_, '=', text.size() + 4);
  out_->append("txt:");
  out_->append(text);
  out_->append("\r\n");
}

}  // namespace hawser::redis
