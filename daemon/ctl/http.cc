#include "daemon/ctl/http.h"

#include <curl/curl.h>

#include <memory>

namespace hawser::ctl {
namespace {

std::size_t TakeBody(char* data, std::size_t, std::size_t bytes, void* to) {
  auto& body = *static_cast<std::string*>(to);
  if (body.size() + bytes > kResponseBytesMax) return 0;
  body.append(data, bytes);
  return bytes;
}

HttpFailure Explain(CURLcode code, const std::string& server, const char* detail) {
  const std::string why = detail[0] != '\0' ? detail : curl_easy_strerror(code);
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return {true,
              server + " did not answer in time; raise --timeout, or look at the daemon's log"};
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
      return {false, "cannot reach " + server + " (" + why +
                         "); is hawserd running, and is this its [admin] listen? See --server"};
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return {false, "\"" + server + "\" is no http or https URL; see --server"};
    case CURLE_WRITE_ERROR:
      return {false, "the answer is larger than 64 MiB; ask for less"};
    default:
      return {false, "the exchange with " + server + " failed: " + why};
  }
}

struct CurlEnd {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

}  // namespace

std::expected<Response, HttpFailure> Http::Send(const Request& request) const {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, CurlEnd> curl(curl_easy_init());
  if (ready != CURLE_OK || !curl)
    return std::unexpected(HttpFailure{false, "libcurl does not start"});

  std::unique_ptr<curl_slist, CurlEnd> headers;
  const auto add = [&headers](const std::string& line) {
    headers.reset(curl_slist_append(headers.release(), line.c_str()));
  };
  add("Accept: application/json");
  add("Expect:");  // no waiting for 100-continue
  if (!token_.empty()) add("Authorization: Bearer " + token_);
  for (const auto& [name, value] : request.headers) add(name + ": " + value);

  std::string server = server_;
  while (server.ends_with('/')) server.pop_back();
  Response response;
  char detail[CURL_ERROR_SIZE] = {};
  const auto set = [&curl](CURLoption option, auto value) {
    curl_easy_setopt(curl.get(), option, value);
  };
  set(CURLOPT_URL, (server + request.path).c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(timeout_ms_));
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_NOPROXY, "*");  // the daemon is near; a proxy would only see the token
  set(CURLOPT_ERRORBUFFER, detail);
  set(CURLOPT_WRITEFUNCTION, &TakeBody);
  set(CURLOPT_WRITEDATA, &response.body);
  if (!request.body.empty()) {
    set(CURLOPT_POSTFIELDS, request.body.data());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
  if (const CURLcode code = curl_easy_perform(curl.get()); code != CURLE_OK) {
    return std::unexpected(Explain(code, server, detail));
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  response.status = static_cast<int>(status);
  return response;
}

std::string PercentEncoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

}  // namespace hawser::ctl
