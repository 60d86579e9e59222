#include "daemon/admin/problem.h"

#include "daemon/admin/json_writer.h"

namespace hawser::admin {

const char* StatusText(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Error";
  }
}

HttpResponse ToResponse(const Problem& problem) {
  std::string type = "urn:hawser:";
  for (const char c : problem.code) {
    type += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c == '_' ? '-' : c;
  }
  JsonWriter json;
  json.BeginObject();
  json.Member("type", type);
  json.Member("title", StatusText(problem.status));
  json.Key("status");
  json.Int(problem.status);
  json.Member("code", problem.code);
  json.Member("detail", problem.detail);
  if (!problem.request_id.empty()) json.Member("request_id", problem.request_id);
  if (problem.retry_after_seconds > 0) {
    json.Key("retry_after");
    json.Int(problem.retry_after_seconds);
  }
  json.EndObject();
  HttpResponse response{.status = problem.status,
                        .content_type = "application/problem+json",
                        .body = json.Take(),
                        .headers = problem.headers};
  if (problem.retry_after_seconds > 0) {
    response.With("Retry-After", std::to_string(problem.retry_after_seconds));
  }
  return response;
}

}  // namespace hawser::admin
