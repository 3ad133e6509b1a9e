// SPDX-License-Identifier: MIT
//
// What newborns have of the descriptors that their nursery holds.
#include <array>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "os/channel.hpp"
#include "os/pidfd.hpp"
#include "os/poller.hpp"
#include "process/children_of_tests.hpp"
#include "process/home.hpp"
#include "support/processes.hpp"

namespace brood::process {
namespace {

using namespace std::chrono_literals;

TEST(Descriptors, gives_its_children_no_descriptor_more) {
  const os::Bell unrelated;
  auto [here, there] = os::make_channel();
  const int fd = there.get();
  const os::Child child = bear(order_for(&count_descriptors, Tie::none), std::span(&fd, 1));
  EXPECT_EQ(heard(here.get()), 4);  // 0, 1, 2 and the channel
  EXPECT_EQ(exit_of(child), 0);
}

// Each with a channel. They live until it's gone.
struct Siblings {
  explicit Siblings(int count) {
    for (int i = 0; i < count; ++i) {
      auto [here, there] = os::make_channel();
      const int fd = there.get();
      children.push_back(bear(order_for(&wait_for_ever), std::span(&fd, 1)));
      channels.push_back(std::move(here));
    }
    for (const auto& channel : channels) EXPECT_EQ(heard(channel.get()), 42);
  }
  ~Siblings() {
    for (const auto& child : children) {
      os::send_signal_to_group(child, os::kill_signal);
      EXPECT_EQ(exit_of(child), -9);
    }
  }
  Siblings(const Siblings&) = delete;
  Siblings& operator=(const Siblings&) = delete;

  std::vector<os::Child> children;
  std::vector<os::UniqueFd> channels;
};

TEST(Descriptors, gives_its_children_nothing_of_their_siblings) {
  const Siblings many(100);
  auto [here, there] = os::make_channel();
  const int fd = there.get();
  const os::Child child = bear(order_for(&count_descriptors), std::span(&fd, 1));
  EXPECT_EQ(heard(here.get()), 5);  // 0, 1, 2, the channel and the life-line
  EXPECT_EQ(exit_of(child), 0);
}

std::size_t descriptors_of(int pid) {
  return testing::entries_of("/proc/" + std::to_string(pid) + "/fd").size();
}

TEST(Descriptors, keeps_nothing_of_children_that_have_ended) {
  const int nursery = home_nursery()->pid();
  EXPECT_EQ(exit_of(bear(order_for(&leave_with_seven), {})), 7);
  const std::size_t before = descriptors_of(nursery);
  {
    const Siblings many(100);
  }
  while (descriptors_of(nursery) > before) std::this_thread::yield();
}

int close_what_it_has(Kit& kit) {
  kit.descriptors.clear();
  os::sleep_until_killed();
}

TEST(Descriptors, lets_go_with_the_next_birth_of_what_a_child_was_given) {
  auto [here, there] = os::make_channel();
  const int fd = there.get();
  const os::Child child = bear(order_for(&close_what_it_has), std::span(&fd, 1));
  there.reset();
  std::array<std::byte, 1> nothing{};
  // The child may be slow to come.
  do {
    EXPECT_EQ(exit_of(bear(order_for(&leave_with_seven), {})), 7);
  } while (!os::wait_for_end(here.get(), Deadline(0s)));
  EXPECT_FALSE(os::receive_message(here.get(), nothing));
  os::send_signal_to_group(child, os::kill_signal);
  EXPECT_EQ(exit_of(child), -9);
}

}  // namespace
}  // namespace brood::process
