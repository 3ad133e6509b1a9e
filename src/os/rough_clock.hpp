// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>

namespace brood::os {

// The time at the kernel's latest tick: up to 10 ms late, for a small part of the
// price of a look at the steady clock. For sums of which a tick is no part. In four bytes,
// never 0, to a 1,024th of a second.
using RoughStamp = std::uint32_t;
RoughStamp rough_stamp() noexcept;
// Zero where the later one is not later, or by more than 24 days.
std::chrono::milliseconds between(RoughStamp earlier, RoughStamp later) noexcept;
inline std::chrono::milliseconds since(RoughStamp stamp) noexcept {
  return between(stamp, rough_stamp());
}

}  // namespace brood::os
