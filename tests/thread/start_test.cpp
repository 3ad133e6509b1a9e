// SPDX-License-Identifier: MIT
#include <brood/thread.hpp>

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <brood/base/error.hpp>
#include "thread/bystanders.hpp"
#include "thread/default_stack.hpp"
#include "thread/gate.hpp"

namespace brood {
namespace {

void nothing() {}

// More than there are addresses: the kernel grants no such thread.
constexpr std::size_t impossible_stack = std::size_t{1} << 47;

TEST(start, a_second_time_throws_value_error) {
  Thread thread{nothing};
  thread.start();
  EXPECT_THROW(thread.start(), ValueError);
  thread.join();
  EXPECT_THROW(thread.start(), ValueError);
}

TEST(start, a_second_time_names_the_thread_and_the_way_out) {
  Thread thread{{.name = "twice"}, nothing};
  thread.start();
  try {
    thread.start();
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "cannot start thread 'twice': it was started before; a Thread runs once, make "
                 "another one");
  }
}

TEST(start, by_many_at_once_succeeds_for_one) {
  std::atomic<int> runs{0};
  Thread thread{[&runs] { ++runs; }};
  std::atomic<int> refused{0};
  std::vector<Thread> starters;
  for (int i = 0; i < 8; ++i) {
    starters.emplace_back([&thread, &refused] {
      try {
        thread.start();
      } catch (const ValueError&) {
        ++refused;
      }
    });
  }
  for (Thread& starter : starters) starter.start();
  for (Thread& starter : starters) starter.join();
  thread.join();
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(refused, 7);
}

TEST(start, returns_when_the_thread_has_its_ids) {
  for (int round = 0; round < 100; ++round) {
    int native_id = 0;
    std::uintptr_t ident = 0;
    Thread thread{[&] {
      native_id = static_cast<int>(::gettid());
      ident = static_cast<std::uintptr_t>(::pthread_self());
    }};
    EXPECT_EQ(thread.native_id(), 0);
    EXPECT_EQ(thread.ident(), 0u);
    thread.start();
    const int told_native_id = thread.native_id();
    const std::uintptr_t told_ident = thread.ident();
    thread.join();
    EXPECT_EQ(told_native_id, native_id);
    EXPECT_EQ(told_ident, ident);
    // They are kept after the end.
    EXPECT_EQ(thread.native_id(), native_id);
    EXPECT_EQ(thread.ident(), ident);
  }
}

TEST(start, gives_ten_threads_and_main_eleven_native_ids) {
  Gate gate;
  std::vector<Thread> threads;
  std::set<int> native_ids{main_thread().native_id};
  for (int i = 0; i < 10; ++i) threads.emplace_back([&gate] { gate.pass(); });
  for (Thread& thread : threads) {
    thread.start();
    native_ids.insert(thread.native_id());
  }
  EXPECT_EQ(native_ids.size(), 11u);
  EXPECT_EQ(native_ids.count(0), 0u);
  gate.open();
}

TEST(start, that_the_kernel_refuses_leaves_the_thread_unstarted_and_unlisted) {
  int runs = 0;
  Thread thread{{.name = "refused"}, [&runs] { ++runs; }};
  const std::size_t before = bystanders().size();
  {
    const DefaultStack stack(impossible_stack);
    try {
      thread.start();
      FAIL() << "there is a stack of 128 TiB";
    } catch (const SystemError& error) {
      EXPECT_NE(error.code(), 0);
      EXPECT_EQ(std::string(error.what()).find("cannot start thread 'refused': "), 0u)
          << error.what();
    }
  }
  EXPECT_EQ(active_count(), before);
  EXPECT_EQ(thread.state(), ThreadState::unstarted);
  EXPECT_FALSE(thread.is_alive());
  EXPECT_EQ(thread.native_id(), 0);
  EXPECT_THROW(thread.join(), ValueError);
  EXPECT_EQ(runs, 0);

  thread.start();
  thread.join();
  EXPECT_EQ(runs, 1);
}

TEST(start, that_the_kernel_refuses_still_lets_the_thread_be_destroyed) {
  const DefaultStack stack(impossible_stack);
  Thread thread{nothing};
  EXPECT_THROW(thread.start(), SystemError);
}

TEST(start, of_one_that_was_moved_from_throws_value_error) {
  Thread thread{nothing};
  const Thread taken = std::move(thread);
  EXPECT_THROW(thread.start(), ValueError);  // NOLINT: what is left is the question
}

TEST(start, works_in_a_thread_and_in_a_thread_of_that_one) {
  int depth = 0;
  Thread outer{[&depth] {
    Thread inner{[&depth] {
      Thread innermost{[&depth] { depth = 3; }};
      innermost.start();
    }};
    inner.start();
  }};
  outer.start();
  outer.join();
  EXPECT_EQ(depth, 3);
}

}  // namespace
}  // namespace brood
