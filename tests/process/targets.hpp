// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <brood/brood.hpp>

#include "pool/contexts.hpp"
#include "support/scratch.hpp"

namespace brood::testing {

// Targets.
inline void nothing() {}
inline int seven() { return 7; }
inline void leave(int code) { std::exit(code); }
inline void vanish(int code) { ::_exit(code); }
inline void fail() { throw std::runtime_error("no luck"); }
inline void abort_now() { std::abort(); }
inline void wait_at(const std::string& gate) { pass(gate); }
inline void wait_for_ever() {
  for (;;) ::pause();
}

inline std::string self() {
  const ProcessInfo me = current_process();
  std::ostringstream out;
  out << me.name << ' ' << me.pid << ' ' << me.daemon << ' ' << me.is_alive();
  if (const auto parent = parent_process()) out << ' ' << parent->name << ' ' << parent->pid;
  return out.str();
}
inline void tell_self(const std::string& file) { write_file(file, self()); }

inline void tell_arguments(const std::string& file, int number,
                           const std::vector<std::string>& words, std::string_view text) {
  write_file(file, std::to_string(number) + words.at(1) + std::string(text));
}

inline int open_descriptors() {
  int count = 0;
  for (int fd = 0; fd < 256; ++fd) count += ::fcntl(fd, F_GETFD) != -1;
  return count;
}
inline void tell_descriptors(const std::string& file) {
  write_file(file, std::to_string(open_descriptors()) + '\n');
}

// True once the process with that number is dead, be it buried or not.
inline bool ends(int pid) {
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd == -1) return true;
  struct pollfd watched{fd, POLLIN, 0};
  const bool ended = ::poll(&watched, 1, 50'000) == 1;
  ::close(fd);
  return ended;
}

class EachProcess : public ::testing::TestWithParam<Context> {
 protected:
  template <typename... Call>
  Process make(Call&&... call) const {
    return Process({.context = GetParam()}, std::forward<Call>(call)...);
  }
  template <typename... Call>
  std::optional<int> exitcode_of(Call&&... call) const {
    Process process = make(std::forward<Call>(call)...);
    process.start();
    process.join();
    return process.exitcode();
  }
  Scratch scratch_;
};

}  // namespace brood::testing
