// SPDX-License-Identifier: MIT
#include "os/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

namespace brood::os {

std::size_t terminal_width(int fd) noexcept {
  if (::isatty(fd) == 0) return 0;
  struct winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == -1 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace brood::os
