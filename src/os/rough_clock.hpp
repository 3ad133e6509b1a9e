// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>

namespace brood::os {

// The time at the kernel's latest tick: up to 10 ms late, for a small part of the
// price of a look at the steady clock. For sums of which a tick is no part.
std::chrono::steady_clock::time_point rough_now() noexcept;

}  // namespace brood::os
