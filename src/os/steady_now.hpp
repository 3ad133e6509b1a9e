// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>

#include "os/kernel_clock.hpp"

namespace brood::os {

// std::chrono::steady_clock::now() without the way through the libraries, which take the same
// clock: some 5 of 25 ns.
inline std::chrono::steady_clock::time_point steady_now() noexcept {
  const auto now = read_clock(CLOCK_MONOTONIC);
  return std::chrono::steady_clock::time_point(std::chrono::seconds(now.tv_sec) +
                                               std::chrono::nanoseconds(now.tv_nsec));
}

}  // namespace brood::os
