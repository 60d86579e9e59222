#include "daemon/token_book.h"

#include <cstddef>

#include "daemon/config/secret.h"

namespace hawser {
namespace {

// Looks at every byte of `given`, whatever it finds on the way.
bool SameSecret(std::string_view given, std::string_view secret) {
  unsigned difference = given.size() == secret.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i) {
    difference |= static_cast<unsigned>(given[i] ^ secret[i % secret.size()]);
  }
  return difference == 0;
}

}  // namespace

std::expected<TokenBook, std::string> TokenBook::Read(const std::vector<TokenConfig>& tokens) {
  TokenBook book;
  for (const TokenConfig& token : tokens) {
    auto secret = config::ReadSecret(token.file);
    if (!secret) return std::unexpected("token \"" + token.name + "\": " + secret.error());
    book.entries_.push_back({token.name, token.role, std::move(*secret)});
  }
  return book;
}

std::optional<TokenRole> TokenBook::Find(std::string_view name, std::string_view token) const {
  std::optional<TokenRole> role;
  if (token.size() > config::kSecretBytesMax) return role;
  for (const Entry& entry : entries_) {
    const bool named = name.empty() || name == entry.name;
    if (SameSecret(token, entry.secret) && named) role = entry.role;
  }
  return role;
}

std::string TokenBook::NameOf(std::string_view token) const {
  std::string name;
  if (token.size() > config::kSecretBytesMax) return name;
  for (const Entry& entry : entries_) {
    if (SameSecret(token, entry.secret)) name = entry.name;
  }
  return name;
}

}  // namespace hawser
