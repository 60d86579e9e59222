#pragma once

// Secrets live in files of their own: a token, one line, readable by nobody else.
// Threads: free functions without state.

#include <expected>
#include <string>

namespace hawser::config {

// The secret in `file` (an absolute path, a path, or the plain name of a systemd credential, looked
// up in $CREDENTIALS_DIRECTORY), without the line's end. The error says what to do and never shows
// the content: no such file, mode wider than 0600, empty, too short to be safe, or not one line.
std::expected<std::string, std::string> ReadSecret(const std::string& file);

// Where `file` is: the plain name of a credential becomes its path.
std::string SecretPath(const std::string& file);

inline constexpr std::size_t kSecretBytesMin = 16;
inline constexpr std::size_t kSecretBytesMax = 4096;

}  // namespace hawser::config
