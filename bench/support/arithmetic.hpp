// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace bench {

// Real arithmetic, each step of which waits for the one before: `steps` of it.
std::uint64_t work(std::uint64_t steps);

// How many steps last a microsecond here and now: the best of several tries.
double steps_a_microsecond();

}  // namespace bench
