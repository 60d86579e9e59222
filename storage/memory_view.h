#pragma once

// Views and readers of MemoryStore. A view shares the store's rows; what is overwritten while it
// lives is kept aside for it first.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "storage/memory_store.h"

namespace hawser {

class MemoryView final : public View {
 public:
  explicit MemoryView(MemoryStore& store);
  ~MemoryView() override;
  MemoryView(const MemoryView&) = delete;
  MemoryView& operator=(const MemoryView&) = delete;

  std::optional<std::string_view> Get(std::string_view row_key) override;
  void Scan(
      std::string_view start,
      const std::function<bool(std::string_view row_key, std::string_view record)>& visit) override;
  const Cut& cut() const override { return cut_; }

  // Called before a row changes: what it was (null: absent) when this view began, if not known yet.
  void Keep(std::string_view row_key, const SharedBytes& record);

 private:
  MemoryStore& store_;
  Cut cut_;
  std::map<std::string, SharedBytes, std::less<>> kept_;
};

class MemoryReader final : public Reader {
 public:
  explicit MemoryReader(MemoryStore& store) : store_(store) {}
  std::unique_ptr<View> Take() override { return std::make_unique<MemoryView>(store_); }

 private:
  MemoryStore& store_;
};

class MemoryJournalReader final : public JournalReader {
 public:
  explicit MemoryJournalReader(const MemoryStore& store) : store_(store) {}
  std::expected<void, StorageError> ReadLog(
      const Origin& origin, Seq from,
      const std::function<bool(const JournalEntry&)>& visit) override;
  std::expected<void, StorageError> ReadApplied(
      Lsn from, const std::function<bool(Lsn lsn, const JournalEntry&)>& visit) override;

 private:
  const MemoryStore& store_;
};

}  // namespace hawser
