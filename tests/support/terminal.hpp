// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <string>
#include <string_view>

#include "support/watchdog.hpp"

namespace brood::testing {

// A terminal, seen from its keyboard and its screen.
class Terminal {
 public:
  Terminal() : keyboard_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    if (keyboard_ == -1 || ::grantpt(keyboard_) != 0 || ::unlockpt(keyboard_) != 0) {
      throw std::runtime_error("cannot make a pseudo-terminal");
    }
    path_ = ::ptsname(keyboard_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() { hang_up(); }

  // The calling process, which leads a session, and its children are in front of it.
  void attach() const {
    const int line = ::open(path_.c_str(), O_RDWR);
    if (line == -1 || ::ioctl(line, TIOCSCTTY, 0) != 0) ::_exit(126);
    for (const int fd : {0, 1, 2}) ::dup2(line, fd);
    ::close(line);
  }

  void type(std::string_view keys) const {
    static_cast<void>(!::write(keyboard_, keys.data(), keys.size()));
  }
  void hang_up() {
    if (keyboard_ != -1) ::close(keyboard_);
    keyboard_ = -1;
  }

  // What was shown so far.
  const std::string& screen() const { return screen_; }
  bool shows(std::string_view text, int times = 1) {
    for (;;) {
      int count = 0;
      for (auto at = screen_.find(text); at != std::string::npos;
           at = screen_.find(text, at + text.size())) {
        ++count;
      }
      if (count >= times) return true;
      if (!read_more()) return false;
    }
  }
  // Until nobody is in front of it any more.
  void watch_to_the_end() {
    while (read_more()) {
    }
  }

 private:
  bool read_more() {
    struct pollfd readable{keyboard_, POLLIN, 0};
    if (::poll(&readable, 1, watchdog_.milliseconds_left()) != 1) return false;
    std::array<char, 1024> some;
    // EIO when the last one has left.
    const auto size = ::read(keyboard_, some.data(), some.size());
    if (size <= 0) return false;
    screen_.append(some.data(), static_cast<std::size_t>(size));
    return true;
  }

  Watchdog watchdog_;
  int keyboard_;
  std::string path_;
  std::string screen_;
};

}  // namespace brood::testing
