// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>

#include "os/kernel_clock.hpp"

namespace brood::os {

// The time at the kernel's latest tick: up to 10 ms late, for a small part of the
// price of a look at the steady clock. For sums of which a tick is no part. In four bytes,
// never 0, to a 1,024th of a second.
using RoughStamp = std::uint32_t;
inline constexpr unsigned rough_fraction_bits = 10;
inline constexpr unsigned rough_nanosecond_shift = 30 - rough_fraction_bits;
// Seconds above, and of their 2^30 nanoseconds the upper ten bits: without a division.
inline RoughStamp rough_stamp() noexcept {
  const auto now = read_clock(CLOCK_MONOTONIC_COARSE);
  const auto stamp = static_cast<RoughStamp>(now.tv_sec) << rough_fraction_bits |
                     static_cast<RoughStamp>(now.tv_nsec) >> rough_nanosecond_shift;
  return stamp == 0 ? 1 : stamp;
}
// Zero where the later one is not later, or by more than 24 days.
std::chrono::milliseconds between(RoughStamp earlier, RoughStamp later) noexcept;
inline std::chrono::milliseconds since(RoughStamp stamp) noexcept {
  return between(stamp, rough_stamp());
}

}  // namespace brood::os
