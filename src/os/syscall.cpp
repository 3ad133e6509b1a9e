// SPDX-License-Identifier: MIT
#include "os/syscall.hpp"

#include <fcntl.h>

#include <system_error>

#include <brood/base/error.hpp>

#include "os/unique_fd.hpp"

namespace brood::os {

std::string reason(int code) { return std::generic_category().message(code); }

void throw_system_error(int code, std::string_view what) {
  throw SystemError(code, "cannot " + std::string(what) + ": " + reason(code));
}

UniqueFd duplicate(int fd) {
  return UniqueFd(check(::fcntl(fd, F_DUPFD_CLOEXEC, 3), "duplicate a descriptor"));
}

}  // namespace brood::os
