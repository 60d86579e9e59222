#include "daemon/redis/reading.h"

#include <algorithm>

#include "conflict/record_codec.h"

namespace hawser::redis {

void Reading::FromRow(std::optional<std::string_view> row, std::int64_t now_ms) {
  edit_ = nullptr;
  alive_ = false;
  if (!row) {
    record_.clear();
    return;
  }
  // A row that is none was caught by the store's checksum; here it shows nothing.
  if (!DecodeRecord(*row, record_)) record_.clear();
  alive_ = IsAlive(record_, now_ms);
}

void Reading::FromEdit(const RecordEdit& edit) {
  edit_ = &edit;
  alive_ = edit.Alive();
}

std::optional<std::string_view> Reading::Get(std::string_view field) {
  if (!alive_) return std::nullopt;
  if (edit_ != nullptr) {
    auto value = edit_->Get(field);
    if (!value) return std::nullopt;
    text_ = std::move(*value);
    return text_;
  }
  const Field* held = static_cast<const Record&>(record_).Find(field);
  if (held == nullptr) return std::nullopt;
  shown_ = Show(*held);
  if (!shown_.visible) return std::nullopt;
  return shown_.is_counter ? std::string_view(shown_.text) : shown_.value;
}

bool Reading::HasNamedFields() const {
  if (!alive_) return false;
  if (edit_ != nullptr) {
    return std::ranges::any_of(edit_->VisibleFields(),
                               [](const std::string& name) { return !name.empty(); });
  }
  return std::ranges::any_of(
      record_.fields, [](const Field& field) { return !field.name.empty() && IsVisible(field); });
}

std::optional<std::int64_t> Reading::ExpiryMs() const {
  if (!alive_) return std::nullopt;
  return edit_ != nullptr ? edit_->ExpiryMs() : hawser::ExpiryMs(record_);
}

const std::vector<std::string_view>& Reading::NamedFields() {
  names_.clear();
  if (!alive_) return names_;
  if (edit_ != nullptr) {
    edit_names_ = edit_->VisibleFields();
    for (const std::string& name : edit_names_) {
      if (!name.empty()) names_.push_back(name);
    }
    return names_;
  }
  for (const Field& field : record_.fields) {
    if (!field.name.empty() && IsVisible(field)) names_.push_back(field.name);
  }
  return names_;
}

}  // namespace hawser::redis
