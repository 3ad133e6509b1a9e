// SPDX-License-Identifier: MIT
#include "os/spin.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace brood::os {
namespace {

using namespace std::chrono_literals;

// How often it looks for something that doesn't come.
int looks_in_vain(Spin& spin) {
  int looks = 0;
  EXPECT_FALSE(spin.until([&] {
    ++looks;
    return false;
  }));
  return looks;
}

Spin hopeful() {
  Spin spin;
  spin.hope();
  return spin;
}

TEST(ASpin, looks_once_the_first_time) {
  Spin spin;
  EXPECT_EQ(looks_in_vain(spin), 1);
  EXPECT_GT(looks_in_vain(spin), 1);
}

TEST(ASpin, ends_with_the_look_that_pays) {
  Spin spin = hopeful();
  int looks = 0;
  EXPECT_TRUE(spin.until([&] { return ++looks == 20; }));
  EXPECT_EQ(looks, 20);
  EXPECT_NE(spin.latest(), Spin::Clock::time_point{});
}

TEST(ASpin, pauses_longer_after_each_that_was_in_vain) {
  Spin spin = hopeful();
  for (const int pause : {2, 4, 8}) {
    EXPECT_GT(looks_in_vain(spin), 1);
    for (int i = 0; i < pause; ++i) EXPECT_EQ(looks_in_vain(spin), 1) << pause << ", " << i;
  }
  EXPECT_EQ(spin.latest(), Spin::Clock::time_point{});
}

TEST(ASpin, goes_on_at_once_after_one_that_paid) {
  Spin spin = hopeful();
  looks_in_vain(spin);
  spin.hope();
  EXPECT_TRUE(spin.until([] { return true; }));
  EXPECT_GT(looks_in_vain(spin), 1);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(looks_in_vain(spin), 1);
}

TEST(ASpin, learns_from_a_short_sleep_and_not_from_a_long_one) {
  Spin spin;
  EXPECT_EQ(looks_in_vain(spin), 1);
  spin.learn(20us);
  EXPECT_GT(looks_in_vain(spin), 1);
  EXPECT_EQ(looks_in_vain(spin), 1);
  spin.learn(1s);
  EXPECT_EQ(looks_in_vain(spin), 1);
}

// What came soon after it had looked in vain came too late for a look.
TEST(ASpin, learns_nothing_from_a_sleep_after_it_looked) {
  Spin spin = hopeful();
  EXPECT_GT(looks_in_vain(spin), 1);
  spin.learn(20us);
  EXPECT_EQ(looks_in_vain(spin), 1);
}

}  // namespace
}  // namespace brood::os
