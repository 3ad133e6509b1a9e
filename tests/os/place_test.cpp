// SPDX-License-Identifier: MIT
#include "os/place.hpp"

#include <thread>
#include <vector>

#include <gmock/gmock.h>

namespace brood::os {
namespace {

std::vector<int> all_cpus() {
  std::vector<int> all;
  for (const unsigned cpu : allowed_cpus()) all.push_back(static_cast<int>(cpu));
  return all;
}

TEST(AvoidCpus, goes_elsewhere_and_may_come_back) {
  std::thread([] {
    const auto before = allowed_cpus();
    ASSERT_THAT(all_cpus(), ::testing::Contains(current_cpu()));
    // Linux may move it on at once, so it's not there each time.
    for (const int cpu : all_cpus()) {
      do {
        avoid_cpus({cpu});
        EXPECT_EQ(allowed_cpus(), before);
      } while (current_cpu() == cpu && before.size() > 1);
    }
  }).join();
}

TEST(AvoidCpus, stays_where_there_is_no_other) {
  std::thread([] {
    const auto before = allowed_cpus();
    avoid_cpus(all_cpus());
    EXPECT_EQ(allowed_cpus(), before);
    const auto here = before.front();
    occupy({{here}, {}});
    avoid_cpus({static_cast<int>(here)});
    EXPECT_EQ(allowed_cpus(), std::vector{here});
    EXPECT_EQ(current_cpu(), static_cast<int>(here));
  }).join();
}

}  // namespace
}  // namespace brood::os
