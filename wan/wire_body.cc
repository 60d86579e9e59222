#include "wan/wire_body.h"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <new>

namespace hawser {

namespace {

constexpr int kLevel = 1;
// The sample: runs of neighbours, because single bytes at a fixed distance could all fall into the
// same field of equally long txns.
constexpr std::size_t kSampleRuns = 16;
constexpr std::size_t kSampleRunBytes = 64;

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

ZSTD_CCtx* Compressor() {
  thread_local const std::unique_ptr<ZSTD_CCtx, FreeContext> context = [] {
    std::unique_ptr<ZSTD_CCtx, FreeContext> fresh(ZSTD_createCCtx());
    if (fresh == nullptr) throw std::bad_alloc();
    ZSTD_CCtx_setParameter(fresh.get(), ZSTD_c_compressionLevel, kLevel);
    return fresh;
  }();
  return context.get();
}

ZSTD_DCtx* Decompressor() {
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  if (context == nullptr) throw std::bad_alloc();
  return context.get();
}

}  // namespace

// The chance that two sampled bytes are equal is 1/256 in random bytes and 1/147 in bytes of 7.2
// bits each, which is where a tenth could be saved by coding single bytes alone. Repeated strings
// of random bytes are missed: rare, and only bandwidth is lost. No memory of earlier bodies is
// kept, so that the same batch is the same bytes in every run.
bool LooksCompressible(std::string_view body) {
  std::array<std::uint32_t, 256> counts{};
  const std::size_t step = std::max(body.size() / kSampleRuns, kSampleRunBytes);
  std::uint64_t sampled = 0;
  for (std::size_t run = 0; run < body.size(); run += step) {
    for (const char byte : body.substr(run, kSampleRunBytes)) {
      ++counts[static_cast<unsigned char>(byte)];
      ++sampled;
    }
  }
  if (sampled < 2) return false;
  std::uint64_t pairs = 0;  // ordered pairs of different places with equal bytes
  for (const std::uint32_t count : counts) pairs += std::uint64_t{count} * (count - (count > 0));
  return pairs * 170 > sampled * (sampled - 1);
}

bool AppendCompressed(std::string_view body, std::string& out) {
  const std::size_t before = out.size();
  const std::size_t room = body.size() - body.size() / 10;
  std::size_t written = 0;
  out.resize_and_overwrite(before + room, [&](char* data, std::size_t) {
    written = ZSTD_compress2(Compressor(), data + before, room, body.data(), body.size());
    return before + (ZSTD_isError(written) != 0 ? 0 : written);
  });
  return ZSTD_isError(written) == 0;
}

std::optional<std::string> Decompress(std::string_view frame, std::size_t bytes) {
  if (ZSTD_getFrameContentSize(frame.data(), frame.size()) != bytes) return std::nullopt;
  std::string body;
  std::size_t written = 0;
  body.resize_and_overwrite(bytes, [&](char* data, std::size_t) {
    written = ZSTD_decompressDCtx(Decompressor(), data, bytes, frame.data(), frame.size());
    return ZSTD_isError(written) != 0 ? 0 : written;
  });
  if (ZSTD_isError(written) != 0 || written != bytes) return std::nullopt;
  return body;
}

}  // namespace hawser
