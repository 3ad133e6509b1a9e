// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>

#include "support/processes.hpp"

namespace bench {

// The least that a call into another process can cost: a word is set there and
// back between this process and a child that does nothing else.
// Requires of the constructor: one thread.
class PingPong {
 public:
  enum class Waiting { asleep, spinning };
  explicit PingPong(Waiting waiting);

  // Seconds a round trip.
  double round(int trips);
  pid_t partner() const noexcept { return child_.pid(); }

 private:
  struct Words {
    alignas(64) std::atomic<std::uint32_t> ping{0};
    alignas(64) std::atomic<std::uint32_t> pong{0};
  };
  static void tell(Waiting waiting, std::atomic<std::uint32_t>& word, std::uint32_t value);
  static void await(Waiting waiting, std::atomic<std::uint32_t>& word, std::uint32_t value);
  static void answer(Waiting waiting, Words& words);

  Waiting waiting_;
  Words& words_;
  Child child_;
  std::uint32_t trips_ = 0;
};

}  // namespace bench
