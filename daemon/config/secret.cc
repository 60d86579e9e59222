#include "daemon/config/secret.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace hawser::config {
namespace {

class File {
 public:
  explicit File(const std::string& path)
      : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

std::string SecretPath(const std::string& file) {
  const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
  if (file.find('/') != std::string::npos || directory == nullptr) return file;
  return std::string(directory) + '/' + file;
}

std::expected<std::string, std::string> ReadSecret(const std::string& file) {
  const std::string path = SecretPath(file);
  const auto fail = [&path](const std::string& why) { return std::unexpected(path + ' ' + why); };
  const File in(path);
  struct stat status{};
  if (in.fd() < 0 || fstat(in.fd(), &status) != 0) {
    return fail("cannot be read: " + std::string(std::strerror(errno)) +
                "; create it with mode 0600, or pass it with LoadCredential=");
  }
  if (!S_ISREG(status.st_mode)) return fail("is no regular file; name the file with the secret");
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail("can be read by others; run chmod 600 on it");
  }
  std::string text(kSecretBytesMax + 2, '\0');
  const ssize_t got = read(in.fd(), text.data(), text.size());
  if (got < 0) return fail("cannot be read: " + std::string(std::strerror(errno)));
  text.resize(static_cast<std::size_t>(got));
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  if (text.size() > kSecretBytesMax) return fail("is larger than a secret may be (4096 bytes)");
  if (text.size() < kSecretBytesMin) {
    return fail(
        "holds less than 16 characters; write a longer secret, such as of openssl rand -hex 32");
  }
  const bool visible = std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
  if (!visible) return fail("must be one line of visible ASCII characters without spaces");
  return text;
}

}  // namespace hawser::config
