// SPDX-License-Identifier: MIT
#include "os/rough_clock.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace brood::os {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// The kernel's slowest tick, and what a stamp and the result are rounded by.
constexpr auto tick = 10ms;
constexpr auto rounding = 3ms;

TEST(RoughClock, tells_how_long_ago_a_moment_was) {
  const auto before = Clock::now();
  const RoughStamp stamp = rough_stamp();
  const auto after = Clock::now();
  EXPECT_NE(stamp, 0U);
  // Over the end of a second, at which a stamp's lower part begins anew.
  while (Clock::now() - after < 1100ms) {
    const auto least = Clock::now() - after;
    const auto passed = since(stamp);
    const auto most = Clock::now() - before;
    ASSERT_GE(passed + tick + rounding, least);
    ASSERT_LE(passed, most + tick + rounding);
  }
}

TEST(RoughClock, does_not_run_backwards) {
  const RoughStamp first = rough_stamp();
  EXPECT_EQ(between(first, first), 0ms);
  while (rough_stamp() == first) continue;
  const RoughStamp second = rough_stamp();
  EXPECT_GE(between(first, second), 1ms);
  EXPECT_EQ(between(second, first), 0ms);
}

}  // namespace
}  // namespace brood::os
