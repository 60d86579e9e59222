#include "daemon/redis/forward_body.h"

#include "conflict/bytes.h"
#include "conflict/dot_codec.h"

namespace hawser::redis {
namespace {

constexpr std::uint64_t kCommandsMax = 1'000'000;
constexpr std::uint8_t kBundle = 1, kReadsAtHome = 2;

}  // namespace

void BeginForward(const ForwardedCommands& head, std::size_t commands, std::string& out) {
  PutByte(out, head.protocol);
  PutByte(out, static_cast<std::uint8_t>((head.bundle ? kBundle : 0) |
                                         (head.bundle && head.reads_at_home ? kReadsAtHome : 0)));
  PutDot(out, head.known_by);
  PutDot(out, head.after);
  PutVarint(out, commands);
}

void AppendForwarded(std::span<const std::string_view> args, std::string& out) {
  PutVarint(out, args.size());
  for (const std::string_view arg : args) PutText(out, arg);
}

std::optional<ForwardedCommands> DecodeForward(std::string_view bytes) {
  ByteReader in(bytes);
  ForwardedCommands forwarded;
  forwarded.protocol = in.Byte();
  const std::uint8_t flags = in.Byte();
  forwarded.bundle = (flags & kBundle) != 0;
  forwarded.reads_at_home = (flags & kReadsAtHome) != 0;
  forwarded.known_by = GetDot(in);
  forwarded.after = GetDot(in);
  const std::uint64_t commands = in.Varint();
  if (!in.ok() || flags > (kBundle | kReadsAtHome) ||
      (forwarded.protocol != 2 && forwarded.protocol != 3) || commands == 0 ||
      commands > kCommandsMax || commands > in.left()) {
    return std::nullopt;
  }
  for (std::uint64_t i = 0; i < commands; ++i) {
    const std::uint64_t args = in.Varint();
    if (!in.ok() || args == 0 || args > in.left()) return std::nullopt;
    auto& command = forwarded.commands.emplace_back();
    for (std::uint64_t arg = 0; arg < args && in.ok(); ++arg) command.push_back(in.Text());
  }
  if (!in.done()) return std::nullopt;
  return forwarded;
}

std::string EncodeForwardAnswer(const ForwardAnswer& answer) {
  std::string out;
  PutByte(out, static_cast<std::uint8_t>(answer.outcome));
  PutDot(out, answer.last_write);
  PutText(out, answer.reply);
  return out;
}

std::optional<ForwardAnswer> DecodeForwardAnswer(std::string_view bytes) {
  ByteReader in(bytes);
  ForwardAnswer answer;
  const std::uint8_t outcome = in.Byte();
  answer.outcome = static_cast<ForwardOutcome>(outcome);
  answer.last_write = GetDot(in);
  answer.reply = in.Text();
  if (!in.done() || outcome > 3) return std::nullopt;
  return answer;
}

}  // namespace hawser::redis
