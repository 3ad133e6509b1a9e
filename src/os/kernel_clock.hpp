// SPDX-License-Identifier: MIT
#pragma once

#include <time.h>

#include <atomic>

namespace brood::os {

using ClockReader = int (*)(clockid_t clock, struct timespec* now);

// clock_gettime as the kernel gives it to each process (vdso(7)); where it doesn't, or not yet,
// that of the C library, whose way there takes some 2 ns.
extern constinit std::atomic<ClockReader> clock_reader;

// Of a clock that each kernel has.
inline struct timespec read_clock(clockid_t clock) noexcept {
  struct timespec now{};
  clock_reader.load(std::memory_order_relaxed)(clock, &now);
  return now;
}

}  // namespace brood::os
