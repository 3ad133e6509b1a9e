// SPDX-License-Identifier: MIT
#include "os/syscall.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <system_error>

#include <brood/base/error.hpp>

#include "os/unique_fd.hpp"

namespace brood::os {

std::string reason(int code) {
  const std::string text = std::generic_category().message(code);
  return code == EMFILE ? text + "; raise the limit of open files (ulimit -n)" : text;
}

void throw_system_error(int code, std::string_view what) {
  throw SystemError(code, "cannot " + std::string(what) + ": " + reason(code));
}

int off_the_streams(int fd) noexcept {
  if (fd < 0 || fd > STDERR_FILENO) return fd;
  const int moved = ::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (moved == -1) return fd;
  ::close(fd);
  return moved;
}

UniqueFd duplicate(int fd) {
  return UniqueFd(check(::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1), "duplicate a descriptor"));
}

}  // namespace brood::os
