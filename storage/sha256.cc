#include "storage/sha256.h"

#include <openssl/evp.h>

#include "conflict/assert.h"

namespace hawser {

std::string Sha256(std::string_view bytes) {
  std::string digest(kSha256Bytes, '\0');
  HW_ASSERT(EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()),
                       nullptr, EVP_sha256(), nullptr) == 1);
  return digest;
}

}  // namespace hawser
