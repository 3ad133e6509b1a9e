// SPDX-License-Identifier: MIT
#include "os/place.hpp"

#include <atomic>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "os/thread_list.hpp"

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

// A thread that sleeps until the test has ended.
class Sleeper {
 public:
  Sleeper()
      : thread_([this] {
          number_.store(current_thread_id());
          number_.notify_all();
          awake_.wait(false);
        }) {
    number_.wait(0);
  }
  ~Sleeper() {
    awake_.store(true);
    awake_.notify_all();
    thread_.join();
  }
  ThreadNumber number() const { return number_.load(); }

 private:
  std::atomic<ThreadNumber> number_{0};
  std::atomic<bool> awake_{false};
  std::thread thread_;
};

TEST(AvoidCpus, moves_another_thread_and_leaves_this_one) {
  const Sleeper other;
  const auto before = allowed_cpus();
  for (const int cpu : all_cpus()) {
    avoid_cpus({cpu}, other.number());
    EXPECT_EQ(allowed_cpus(other.number()), before);
    EXPECT_EQ(allowed_cpus(), before);
  }
}

TEST(AvoidCpus, does_nothing_where_the_thread_is_gone) {
  ThreadNumber gone = 0;
  std::thread([&] { gone = current_thread_id(); }).join();
  // Its number may be in the kernel's hands for a moment yet.
  while (!allowed_cpus(gone).empty()) std::this_thread::yield();
  EXPECT_NO_THROW(avoid_cpus({0}, gone));
}

TEST(AConfinedThread, runs_on_that_cpu_as_long_as_it_lasts) {
  const Sleeper other;
  const auto before = allowed_cpus();
  for (const unsigned cpu : before) {
    const Confined confined(other.number(), static_cast<int>(cpu));
    EXPECT_EQ(allowed_cpus(other.number()), std::vector{cpu});
    EXPECT_EQ(allowed_cpus(), before);
  }
  EXPECT_EQ(allowed_cpus(other.number()), before);
}

TEST(AConfinedThread, keeps_its_cpus_where_that_one_is_not_among_them) {
  const Sleeper other;
  const auto before = allowed_cpus();
  const Confined confined(other.number(), static_cast<int>(before.back()) + 1);
  EXPECT_EQ(allowed_cpus(other.number()), before);
}

}  // namespace
}  // namespace brood::os
