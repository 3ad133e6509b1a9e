// SPDX-License-Identifier: MIT
#include <brood/base/timeout.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>
#include <type_traits>

#include <gtest/gtest.h>

namespace brood {
namespace {

using namespace std::chrono_literals;
using Seconds = std::chrono::duration<double>;
using Centuries = std::chrono::duration<std::int64_t, std::ratio<3'155'760'000>>;

TEST(timeout, is_for_ever_by_default) { EXPECT_TRUE(Timeout{}.is_forever()); }

TEST(timeout, takes_any_duration_of_integers) {
  EXPECT_EQ(Timeout{2s}.length(), 2s);
  EXPECT_EQ(Timeout{3min}.length(), 3min);
  EXPECT_EQ(Timeout{7ns}.length(), 7ns);
}

TEST(timeout, takes_fractions_of_seconds) {
  EXPECT_EQ(Timeout{0.5s}.length(), 500ms);
  EXPECT_EQ(Timeout{std::chrono::duration<float>{0.25F}}.length(), 250ms);
}

TEST(timeout, cuts_what_is_finer_than_a_nanosecond) {
  using Picoseconds = std::chrono::duration<std::int64_t, std::pico>;
  EXPECT_EQ(Timeout{Picoseconds{1999}}.length(), 1ns);
}

TEST(timeout, is_zero_for_a_negative_duration) {
  EXPECT_EQ(Timeout{-1s}.length(), 0ns);
  EXPECT_EQ(Timeout{-0.001s}.length(), 0ns);
  EXPECT_EQ(Timeout{std::chrono::hours::min()}.length(), 0ns);
}

TEST(timeout, is_zero_for_what_is_not_a_number) {
  EXPECT_EQ(Timeout{Seconds{std::numeric_limits<double>::quiet_NaN()}}.length(), 0ns);
}

TEST(timeout, is_for_ever_beyond_292_years) {
  EXPECT_TRUE(Timeout{Centuries{3}}.is_forever());
  EXPECT_FALSE(Timeout{Centuries{2}}.is_forever());
  EXPECT_TRUE(Timeout{std::chrono::hours::max()}.is_forever());
  EXPECT_TRUE(Timeout{std::chrono::nanoseconds::max()}.is_forever());
  EXPECT_TRUE(Timeout{Seconds{std::numeric_limits<double>::infinity()}}.is_forever());
  EXPECT_TRUE(Timeout{Seconds{1e300}}.is_forever());
}

TEST(timeout, refuses_a_bare_number) {
  EXPECT_FALSE((std::is_constructible_v<Timeout, int>));
  EXPECT_FALSE((std::is_constructible_v<Timeout, double>));
}

TEST(deadline, never_comes_by_default) {
  EXPECT_TRUE(Deadline{}.is_never());
  EXPECT_FALSE(Deadline{}.has_passed());
  EXPECT_TRUE(Deadline{}.left().is_forever());
}

TEST(deadline, never_comes_after_a_timeout_that_is_for_ever) {
  EXPECT_TRUE(Deadline{Timeout{}}.is_never());
}

TEST(deadline, never_comes_where_the_clock_cannot_count_that_far) {
  EXPECT_TRUE(Deadline{Timeout{std::chrono::nanoseconds::max() - 1ns}}.is_never());
}

TEST(deadline, has_passed_at_once_after_no_time) {
  const Deadline deadline{Timeout{0s}};
  EXPECT_TRUE(deadline.has_passed());
  EXPECT_EQ(deadline.left().length(), 0ns);
}

TEST(deadline, lies_its_timeout_after_now) {
  const auto before = std::chrono::steady_clock::now();
  const Deadline deadline{Timeout{1h}};
  const auto after = std::chrono::steady_clock::now();
  EXPECT_GE(deadline.at(), before + 1h);
  EXPECT_LE(deadline.at(), after + 1h);
  EXPECT_FALSE(deadline.has_passed());
}

TEST(deadline, has_less_left_as_time_goes_on) {
  const Deadline deadline{Timeout{1h}};
  const auto left = deadline.left().length();
  EXPECT_GT(left, 0ns);
  EXPECT_LE(left, 1h);
  EXPECT_LE(deadline.left().length(), left);
}

TEST(deadline, passes) {
  const Deadline deadline{Timeout{1us}};
  while (!deadline.has_passed()) {
  }
  EXPECT_EQ(deadline.left().length(), 0ns);
}

}  // namespace
}  // namespace brood
