// SPDX-License-Identifier: MIT
#include "os/rough_clock.hpp"

#include <time.h>

namespace brood::os {

std::chrono::steady_clock::time_point rough_now() noexcept {
  struct timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return std::chrono::steady_clock::time_point(std::chrono::seconds(now.tv_sec) +
                                               std::chrono::nanoseconds(now.tv_nsec));
}

}  // namespace brood::os
