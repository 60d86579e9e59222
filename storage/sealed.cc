#include "storage/sealed.h"

#include <xxhash.h>

#include "conflict/bytes.h"

namespace hawser {

std::string Sealed(std::string_view bytes) {
  std::string out;
  out.reserve(8 + bytes.size());
  PutFixed64(out, XXH3_64bits(bytes.data(), bytes.size()));
  out.append(bytes);
  return out;
}

std::expected<std::string_view, StorageError> Unseal(std::string_view sealed) {
  ByteReader in(sealed);
  const std::uint64_t checksum = in.Fixed64();
  const std::string_view bytes = in.Bytes(in.left());
  if (!in.ok() || XXH3_64bits(bytes.data(), bytes.size()) != checksum) {
    return std::unexpected(StorageError::kCorrupt);
  }
  return bytes;
}

}  // namespace hawser
