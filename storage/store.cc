#include "storage/store.h"

namespace hawser {

const char* Text(StorageError error) {
  switch (error) {
    case StorageError::kNotFound:
      return "not found";
    case StorageError::kFull:
      return "no room";
    case StorageError::kIo:
      return "the disk failed";
    case StorageError::kCorrupt:
      return "damaged";
    case StorageError::kLocked:
      return "in use by another process";
    case StorageError::kForeign:
      return "belongs to another region or cluster";
    case StorageError::kNewer:
      return "written by newer software";
  }
  return "?";
}

}  // namespace hawser
