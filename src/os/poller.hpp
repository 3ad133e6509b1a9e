// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "os/unique_fd.hpp"

namespace brood::os {

// Waits for many descriptors to become readable. Each has a tag of the caller's.
class Poller {
 public:
  // So many tags at most are returned at once.
  static constexpr std::size_t most_at_once = 64;

  Poller();
  void watch(int fd, std::uint64_t tag);
  void forget(int fd) noexcept;
  // Blocks until one at least is readable, and returns their tags.
  const std::vector<std::uint64_t>& wait();
  int fd() const noexcept { return epoll_.get(); }

 private:
  UniqueFd epoll_;
  std::vector<std::uint64_t> ready_;
};

// A sum to which threads and processes add, and that one takes. Its descriptor is readable
// while there's something to take.
class Tally {
 public:
  Tally();
  void add(std::uint64_t number) const noexcept { add(fd_.get(), number); }
  // By whoever was sent the descriptor. Safe in a signal handler.
  static void add(int fd, std::uint64_t number) noexcept;
  // What was added since the last time.
  std::uint64_t take() const noexcept;
  int fd() const noexcept { return fd_.get(); }

 private:
  UniqueFd fd_;
};

// A bell that threads and processes ring and one sleeper hears; rings that come
// before it listens add up to one.
class Bell {
 public:
  void ring() const noexcept { rings_.add(1); }
  // By whoever was sent the descriptor. Safe in a signal handler.
  static void ring(int fd) noexcept { Tally::add(fd, 1); }
  // After this the descriptor is not readable until the next ring.
  void quiet() const noexcept { rings_.take(); }
  int fd() const noexcept { return rings_.fd(); }

 private:
  Tally rings_;
};

// Becomes readable at a point of the monotonic clock.
class Alarm {
 public:
  Alarm();
  void set(std::chrono::steady_clock::time_point at) const;
  void quiet() const noexcept;
  int fd() const noexcept { return fd_.get(); }

 private:
  UniqueFd fd_;
};

}  // namespace brood::os
