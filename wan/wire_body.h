#pragma once

// Bodies of batches, compressed and back. Internal to the wire format.
// Threads: any; each thread keeps one zstd context of its own.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace hawser {

inline constexpr std::size_t kCompressBytesMin = 512;

// False when a sample of the bytes looks random, so that zstd would work for nothing.
bool LooksCompressible(std::string_view body);

// Appends `body` as one zstd frame to `out` and returns true, if that saves a tenth; else leaves
// `out` as it was.
bool AppendCompressed(std::string_view body, std::string& out);

// nullopt unless `frame` is whole and says itself that it holds exactly `bytes` bytes.
std::optional<std::string> Decompress(std::string_view frame, std::size_t bytes);

}  // namespace hawser
