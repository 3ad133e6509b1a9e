// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>

namespace brood::os {

// The time at the kernel's latest tick: up to 10 ms late, for a small part of the
// price of a look at the steady clock. For sums of which a tick is no part.
std::chrono::steady_clock::time_point rough_now() noexcept;

// The same moment in four bytes, never 0; and how long ago it was. A time of more
// than 49 days is taken for what is beyond them.
using RoughStamp = std::uint32_t;
RoughStamp rough_stamp() noexcept;
std::chrono::milliseconds since(RoughStamp stamp) noexcept;

}  // namespace brood::os
