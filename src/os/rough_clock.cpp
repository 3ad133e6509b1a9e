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

RoughStamp rough_stamp() noexcept {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(rough_now().time_since_epoch());
  const auto stamp = static_cast<RoughStamp>(now.count());
  return stamp == 0 ? 1 : stamp;
}

std::chrono::milliseconds since(RoughStamp stamp) noexcept {
  return std::chrono::milliseconds(static_cast<RoughStamp>(rough_stamp() - stamp));
}

}  // namespace brood::os
