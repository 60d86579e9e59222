#include "storage/identity.h"

#include "conflict/bytes.h"
#include "storage/sealed.h"

namespace hawser {

std::string EncodeIdentity(const StoreIdentity& identity) {
  std::string out;
  PutFixed64(out, kStoreFormat);
  PutByte(out, Raw(identity.self.region));
  PutFixed64(out, Raw(identity.self.incarnation));
  PutFixed64(out, identity.cluster_id);
  return Sealed(out);
}

std::expected<StoreIdentity, StorageError> DecodeIdentity(std::string_view sealed) {
  const auto bytes = Unseal(sealed);
  if (!bytes) return std::unexpected(bytes.error());
  ByteReader in(*bytes);
  if (in.Fixed64() > kStoreFormat) return std::unexpected(StorageError::kNewer);
  StoreIdentity identity;
  identity.self.region = RegionId{in.Byte()};
  identity.self.incarnation = Incarnation{in.Fixed64()};
  identity.cluster_id = in.Fixed64();
  if (!in.done()) return std::unexpected(StorageError::kCorrupt);
  return identity;
}

}  // namespace hawser
