#pragma once

// Rows: where a command reads from: a view of what is durable, or the newest state inside the
// engine.

#include <functional>
#include <optional>
#include <string_view>

#include "storage/store.h"
#include "wan/session.h"

namespace hawser::redis {

class Rows {
 public:
  virtual ~Rows() = default;
  // Bytes stay valid at least until the next Get.
  virtual std::optional<std::string_view> Get(std::string_view row_key) = 0;
};

class ViewRows final : public Rows {
 public:
  explicit ViewRows(View& view) : view_(view) {}
  std::optional<std::string_view> Get(std::string_view row_key) override {
    return view_.Get(row_key);
  }

 private:
  View& view_;
};

class SessionRows final : public Rows {
 public:
  explicit SessionRows(Session& session) : session_(session) {}
  std::optional<std::string_view> Get(std::string_view row_key) override {
    return session_.Get(row_key);
  }

 private:
  Session& session_;
};

}  // namespace hawser::redis
