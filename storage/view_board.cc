#include "storage/view_board.h"

#include <algorithm>

#include "conflict/assert.h"
#include "storage/layered_scan.h"

namespace hawser {
namespace {
std::int64_t SteadyNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}
}  // namespace

void ViewBoard::Publish(Published published) {
  const std::uint64_t generation = published.generation;
  std::shared_ptr<const Published> next = std::make_shared<Published>(std::move(published));
  {
    const std::lock_guard lock(mutex_);
    std::swap(current_, next);
    generation_.store(generation, std::memory_order_release);
  }
  // What was current is freed here, outside the lock.
}

std::shared_ptr<const Published> ViewBoard::Load() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

void ViewBoard::ReportDamage(StorageError error) {
  int none = -1;
  damage_.compare_exchange_strong(none, static_cast<int>(error));
}

std::optional<StorageError> ViewBoard::damage() const {
  const int damage = damage_.load(std::memory_order_relaxed);
  if (damage < 0) return std::nullopt;
  return static_cast<StorageError>(damage);
}

void ViewBoard::Enter(LmdbReader* reader) {
  const std::lock_guard lock(readers_mutex_);
  readers_.push_back(reader);
}

void ViewBoard::Leave(LmdbReader* reader) {
  const std::lock_guard lock(readers_mutex_);
  std::erase(readers_, reader);
}

double ViewBoard::OldestViewSeconds() const {
  std::int64_t oldest = 0;
  {
    const std::lock_guard lock(readers_mutex_);
    for (const LmdbReader* reader : readers_) {
      const std::int64_t since = reader->since_ns_.load(std::memory_order_relaxed);
      if (since != 0 && (oldest == 0 || since < oldest)) oldest = since;
    }
  }
  return oldest == 0 ? 0.0 : static_cast<double>(SteadyNs() - oldest) / 1e9;
}

// --- Readers -----------------------------------------------------------------------------------

LmdbReader::LmdbReader(ViewBoard& board, const RecordTables& tables)
    : board_(board), tables_(tables) {
  board_.Enter(this);
}

LmdbReader::~LmdbReader() {
  HW_ASSERT(views_ == 0);
  board_.Leave(this);
}

std::expected<RecordSnapshot, StorageError> LmdbReader::Renewed() {
  if (!spare_) return RecordSnapshot::Take(tables_);
  RecordSnapshot snapshot = std::move(*spare_);
  spare_.reset();
  if (const auto renewed = snapshot.Renew(); !renewed) return std::unexpected(renewed.error());
  return snapshot;
}

void LmdbReader::GiveBack(RecordSnapshot snapshot) {
  if (spare_) return;
  snapshot.Reset();
  spare_.emplace(std::move(snapshot));
}

std::unique_ptr<View> LmdbReader::Take() {
  for (;;) {
    auto published = board_.Load();
    auto snapshot = Renewed();
    if (snapshot && board_.generation() != published->generation) {
      GiveBack(std::move(*snapshot));
      continue;
    }
    if (!snapshot) board_.ReportDamage(snapshot.error());
    if (views_++ == 0) since_ns_.store(SteadyNs(), std::memory_order_relaxed);
    return std::make_unique<LmdbView>(
        *this, std::move(published), snapshot ? std::optional(std::move(*snapshot)) : std::nullopt);
  }
}

LmdbView::LmdbView(LmdbReader& reader, std::shared_ptr<const Published> published,
                   std::optional<RecordSnapshot> snapshot)
    : reader_(reader),
      published_(std::move(published)),
      snapshot_(std::move(snapshot)),
      damaged_(!snapshot_) {}

LmdbView::~LmdbView() {
  if (snapshot_) reader_.GiveBack(std::move(*snapshot_));
  if (--reader_.views_ == 0) reader_.since_ns_.store(0, std::memory_order_relaxed);
}

void LmdbView::Damage(StorageError error) {
  damaged_ = true;
  reader_.board_.ReportDamage(error);
}

std::optional<std::string_view> LmdbView::Get(std::string_view row_key) {
  const std::uint64_t hash = HashRowKey(row_key);
  auto found = published_->active->Get(row_key, hash, published_->visible);
  if (!found && published_->frozen) {
    found = published_->frozen->Get(row_key, hash, published_->visible);
  }
  if (found) return found->gone ? std::nullopt : std::optional(found->record);
  if (!snapshot_) return std::nullopt;
  const auto row = snapshot_->Get(row_key, hash);
  if (!row) Damage(row.error());
  if (!row || !*row) return std::nullopt;
  return (*row)->record;
}

void LmdbView::Scan(
    std::string_view start,
    const std::function<bool(std::string_view row_key, std::string_view record)>& visit) {
  if (!snapshot_) return;
  auto cursor = RecordSnapshot::Cursor::Open(*snapshot_);
  if (!cursor) return Damage(cursor.error());
  const Layers layers{*published_->active, published_->frozen.get(), published_->visible};
  if (const auto scanned = ScanLayers(layers, *cursor, start, visit); !scanned) {
    Damage(scanned.error());
  }
}

}  // namespace hawser
