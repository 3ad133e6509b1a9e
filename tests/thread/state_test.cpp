// SPDX-License-Identifier: MIT
#include <brood/thread.hpp>

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <sstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "thread/gate.hpp"

namespace brood {
namespace {

TEST(state, goes_from_unstarted_over_waiting_to_dead) {
  Gate gate;
  Thread thread{[&gate] { gate.pass(); }};
  EXPECT_EQ(thread.state(), ThreadState::unstarted);
  thread.start();
  until([&] { return thread.state() == ThreadState::waiting; });
  gate.open();
  thread.join();
  EXPECT_EQ(thread.state(), ThreadState::dead);
}

TEST(state, of_the_thread_that_asks_is_running) {
  Thread* self = nullptr;
  Thread thread{[&self] { EXPECT_EQ(self->state(), ThreadState::running); }};
  self = &thread;
  thread.start();
  thread.join();
}

TEST(state, of_one_that_waits_in_the_kernel_is_waiting) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  Thread reader{[&ends] {
    char byte = 0;
    EXPECT_EQ(::read(ends[0], &byte, 1), 1);
  }};
  reader.start();
  until([&] { return reader.state() == ThreadState::waiting; });
  ASSERT_EQ(::write(ends[1], "x", 1), 1);
  reader.join();
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(state, of_one_that_computes_is_at_times_running_and_never_waiting) {
  std::atomic<bool> enough{false};
  std::atomic<bool> begun{false};
  Thread thread{[&] {
    begun = true;
    while (!enough) continue;
  }};
  thread.start();
  until([&] { return begun.load(); });
  ThreadState seen = thread.state();
  while (seen != ThreadState::running) {
    ASSERT_EQ(seen, ThreadState::runnable);
    seen = thread.state();
  }
  enough = true;
}

// Both on one processor, so one of them always waits for its turn.
TEST(state, of_one_that_waits_for_a_processor_is_runnable) {
  std::atomic<bool> enough{false};
  std::atomic<int> pinned{0};
  const auto compete = [&] {
    cpu_set_t one;
    ::sched_getaffinity(0, sizeof one, &one);
    int first = 0;
    while (!CPU_ISSET(static_cast<std::size_t>(first), &one)) ++first;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(first), &one);
    EXPECT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
    ++pinned;
    while (!enough) continue;
  };
  Thread one{compete};
  Thread other{compete};
  one.start();
  other.start();
  until([&] { return pinned == 2; });
  until([&] { return one.state() == ThreadState::runnable; });
  until([&] { return other.state() == ThreadState::runnable; });
  until([&] { return one.state() == ThreadState::running; });
  enough = true;
}

TEST(state, is_told_by_enumerate_for_each_thread) {
  Gate gate;
  Thread waiter{{.name = "waiter"}, [&gate] { gate.pass(); }};
  waiter.start();
  const auto state_in_list = [](const std::string& name) {
    for (const ThreadInfo& info : enumerate()) {
      if (info.name == name) return info.state();
    }
    return ThreadState::dead;
  };
  until([&] { return state_in_list("waiter") == ThreadState::waiting; });
  EXPECT_EQ(state_in_list("MainThread"), ThreadState::running);
  Thread asker{[&] { until([&] { return state_in_list("MainThread") == ThreadState::waiting; }); }};
  asker.start();
  asker.join();
  gate.open();
}

TEST(state, prints_as_its_word) {
  std::ostringstream out;
  out << ThreadState::unstarted << ' ' << ThreadState::runnable << ' ' << ThreadState::running
      << ' ' << ThreadState::waiting << ' ' << ThreadState::dead;
  EXPECT_EQ(out.str(), "unstarted runnable running waiting dead");
}

}  // namespace
}  // namespace brood
