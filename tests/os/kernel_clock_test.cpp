// SPDX-License-Identifier: MIT
#include "os/kernel_clock.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace brood::os {
namespace {

std::chrono::nanoseconds since_boot(const struct timespec& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

TEST(TheKernelsClock, is_that_of_the_c_library) {
  struct timespec before{};
  struct timespec after{};
  for (const clockid_t clock : {CLOCK_MONOTONIC, CLOCK_MONOTONIC_COARSE}) {
    ASSERT_EQ(::clock_gettime(clock, &before), 0);
    const auto now = read_clock(clock);
    ASSERT_EQ(::clock_gettime(clock, &after), 0);
    EXPECT_GE(since_boot(now), since_boot(before));
    EXPECT_LE(since_boot(now), since_boot(after));
  }
}

}  // namespace
}  // namespace brood::os
