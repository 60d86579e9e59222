#pragma once

// Messages of the feeds on a region's NATS, and their subjects. Pure; feed_message.cc alone sees
// protobuf.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "conflict/types.h"
#include "daemon/feeds/change_follower.h"

namespace hawser {

// hw.<cluster>.changes.<region>.<table>; a dot inside the table's name is written %2E.
std::string ChangesSubject(std::string_view cluster, std::string_view region,
                           std::string_view table);
// hw.<cluster>.events.<region>.<kind>
std::string EventSubject(std::string_view cluster, std::string_view region, std::string_view kind);

// A change whose values are larger together is told without them.
inline constexpr std::size_t kToldValuesBytesMax = 256 * 1024;
std::size_t ValueBytes(const Change& change);

// Gathers changes of one table into one message.
class ChangesMessage {
 public:
  using RegionNameOf = std::function<std::string(RegionId)>;
  ChangesMessage(std::string_view region, std::string_view table, std::string_view previous,
                 bool gap);
  ~ChangesMessage();
  ChangesMessage(ChangesMessage&&) noexcept;
  ChangesMessage& operator=(ChangesMessage&&) noexcept;

  void Add(const AppliedChange& applied, const RegionNameOf& name_of);
  std::size_t bytes() const { return bytes_; }  // about
  std::string Finish(std::string_view position);

 private:
  struct Body;
  std::unique_ptr<Body> body_;
  std::size_t bytes_ = 0;
};

}  // namespace hawser
