// SPDX-License-Identifier: MIT
#include <brood/thread.hpp>

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <brood/base/error.hpp>
#include "thread/bystanders.hpp"
#include "thread/gate.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

void nothing() {}

// What is no duration does not compile.
template <typename Patience>
concept Joinable = requires(Thread thread, Patience patience) { thread.join(patience); };
static_assert(Joinable<std::chrono::hours> && Joinable<std::chrono::duration<float>>);
static_assert(!Joinable<int> && !Joinable<double>);

TEST(join, waits_for_the_end) {
  Gate gate;
  std::atomic<bool> ended{false};
  Thread thread{[&] {
    gate.pass();
    ended = true;
  }};
  thread.start();
  Thread opener{[&gate] { gate.open(); }};
  opener.start();
  thread.join();
  EXPECT_TRUE(ended);
}

TEST(join, works_any_number_of_times) {
  Thread thread{nothing};
  thread.start();
  EXPECT_TRUE(thread.join());
  EXPECT_TRUE(thread.join());
  EXPECT_TRUE(thread.join(0s));
}

TEST(join, works_from_many_threads_at_once) {
  Gate gate;
  Thread thread{{.name = "joined by all"}, [&gate] { gate.pass(); }};
  thread.start();
  std::atomic<int> joined{0};
  std::atomic<int> still_listed{0};
  std::vector<Thread> joiners;
  for (int i = 0; i < 8; ++i) {
    joiners.emplace_back([&, i] {
      joined += (i % 2 == 0) ? thread.join() : thread.join(1h);
      for (const ThreadInfo& info : enumerate()) still_listed += info.name == "joined by all";
    });
  }
  for (Thread& joiner : joiners) joiner.start();
  gate.open();
  for (Thread& joiner : joiners) joiner.join();
  EXPECT_EQ(joined, 8);
  EXPECT_EQ(still_listed, 0);
}

TEST(join, gives_up_when_the_time_has_passed) {
  Gate gate;
  Thread thread{[&gate] { gate.pass(); }};
  thread.start();
  EXPECT_FALSE(thread.join(0s));
  EXPECT_FALSE(thread.join(1ms));
  EXPECT_FALSE(thread.join(std::chrono::duration<double>{0.001}));
  EXPECT_TRUE(thread.is_alive());
  gate.open();
  EXPECT_TRUE(thread.join(1h));
  EXPECT_FALSE(thread.is_alive());
}

TEST(join, waits_at_least_as_long_as_it_was_told) {
  Gate gate;
  Thread thread{[&gate] { gate.pass(); }};
  thread.start();
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(thread.join(20ms));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 20ms);
  gate.open();
}

TEST(join, takes_a_negative_time_for_none) {
  Gate gate;
  Thread thread{[&gate] { gate.pass(); }};
  thread.start();
  EXPECT_FALSE(thread.join(-5s));
  gate.open();
}

TEST(join, takes_a_time_beyond_the_clock_for_ever) {
  Gate gate;
  Thread thread{[&gate] { gate.pass(); }};
  thread.start();
  Thread opener{[&gate] { gate.open(); }};
  opener.start();
  EXPECT_TRUE(thread.join(std::chrono::hours::max()));
}

TEST(join, before_the_start_throws_value_error) {
  Thread thread{nothing};
  EXPECT_THROW(thread.join(), ValueError);
  EXPECT_THROW(thread.join(0s), ValueError);
}

TEST(join, of_the_calling_thread_throws_value_error) {
  bool refused = false;
  std::optional<Thread> thread;
  thread.emplace([&] {
    try {
      thread->join();
    } catch (const ValueError&) {
      refused = true;
    }
  });
  thread->start();
  thread->join();
  EXPECT_TRUE(refused);
}

TEST(join, of_one_that_was_moved_from_throws_value_error) {
  Thread thread{nothing};
  thread.start();
  Thread taken = std::move(thread);
  EXPECT_THROW(thread.join(), ValueError);  // NOLINT: what is left is the question
  EXPECT_TRUE(taken.join());
}

// Slow to leave: its thread has returned from the target, and is not at its end.
struct SlowToLeave {
  Gate* reached = nullptr;
  Gate* gate = nullptr;
  ~SlowToLeave() {
    if (gate == nullptr) return;
    reached->open();
    gate->pass();
  }
};

TEST(join, waits_for_the_destructors_of_thread_locals) {
  Gate reached;
  Gate gate;
  Thread thread{[&] {
    thread_local SlowToLeave slow;
    slow.reached = &reached;
    slow.gate = &gate;
  }};
  thread.start();
  reached.pass();
  EXPECT_FALSE(thread.join(1ms));
  EXPECT_TRUE(thread.is_alive());
  EXPECT_NE(thread.state(), ThreadState::dead);
  gate.open();
  EXPECT_TRUE(thread.join());
  EXPECT_FALSE(thread.is_alive());
}

TEST(join, waits_for_the_destructors_of_thread_keys) {
  static std::atomic<bool> destroyed{false};
  static Gate gate;
  pthread_key_t key;
  ASSERT_EQ(::pthread_key_create(&key,
                                 [](void*) {
                                   gate.pass();
                                   destroyed = true;
                                 }),
            0);
  Thread thread{[key] { ::pthread_setspecific(key, &destroyed); }};
  thread.start();
  Thread opener{[] { gate.open(); }};
  opener.start();
  thread.join();
  EXPECT_TRUE(destroyed);
  ::pthread_key_delete(key);
}

// Alive

TEST(is_alive, from_the_start_to_the_end) {
  Gate gate;
  bool within = false;
  std::optional<Thread> thread;
  thread.emplace([&] {
    within = thread->is_alive();
    gate.pass();
  });
  EXPECT_FALSE(thread->is_alive());
  thread->start();
  EXPECT_TRUE(thread->is_alive());
  gate.open();
  thread->join();
  EXPECT_TRUE(within);
  EXPECT_FALSE(thread->is_alive());
}

TEST(is_alive, becomes_false_without_a_join) {
  Thread thread{nothing};
  thread.start();
  until([&] { return !thread.is_alive(); });
  EXPECT_EQ(thread.state(), ThreadState::dead);
}

// Moved and destroyed

TEST(a_moved_thread, runs_on_and_is_joined_where_it_went) {
  Gate gate;
  Thread one{{.name = "moved"}, [&gate] { gate.pass(); }};
  one.start();
  const int native_id = one.native_id();
  Thread other = std::move(one);
  EXPECT_EQ(other.name(), "moved");
  EXPECT_EQ(other.native_id(), native_id);
  EXPECT_TRUE(other.is_alive());
  EXPECT_FALSE(one.is_alive());  // NOLINT: what is left is the question
  EXPECT_EQ(one.native_id(), 0);
  EXPECT_EQ(one.ident(), 0u);
  EXPECT_EQ(one.state(), ThreadState::dead);
  gate.open();
  EXPECT_TRUE(other.join());
}

TEST(a_moved_thread, may_be_moved_before_its_start) {
  int runs = 0;
  Thread one{[&runs] { ++runs; }};
  Thread other = std::move(one);
  other.start();
  other.join();
  EXPECT_EQ(runs, 1);
}

TEST(an_assigned_thread, joins_what_it_was_before) {
  std::atomic<bool> ended{false};
  Gate gate;
  Thread thread{[&] {
    gate.pass();
    ended = true;
  }};
  thread.start();
  Thread opener{[&gate] { gate.open(); }};
  opener.start();
  thread = Thread{{.name = "next"}, nothing};
  EXPECT_TRUE(ended);
  EXPECT_EQ(thread.name(), "next");
}

TEST(an_assigned_thread, survives_itself) {
  Thread thread{{.name = "same"}, nothing};
  thread.start();
  Thread& alias = thread;
  thread = std::move(alias);
  EXPECT_EQ(thread.name(), "same");
  EXPECT_TRUE(thread.join());
}

TEST(a_destroyed_thread, is_joined) {
  std::atomic<bool> ended{false};
  Gate gate;
  Thread opener{[&gate] { gate.open(); }};
  {
    Thread thread{[&] {
      gate.pass();
      ended = true;
    }};
    thread.start();
    opener.start();
  }
  EXPECT_TRUE(ended);
}

TEST(a_destroyed_thread, that_is_a_daemon_is_left_alone) {
  static Gate gate;
  static Gate gone;
  {
    Thread thread{{.daemon = true}, [] {
                    gate.pass();
                    gone.open();
                  }};
    thread.start();
  }
  EXPECT_FALSE(gone.is_open());
  gate.open();
  gone.pass();
}

TEST(a_destroyed_thread, that_is_a_daemon_at_its_end_leaves_nothing_behind) {
  const std::size_t before = bystanders().size();
  for (int round = 0; round < 200; ++round) {
    Thread thread{{.daemon = true}, nothing};
    thread.start();
  }
  until([before] { return active_count() == before; });
}

TEST(a_destroyed_thread, may_be_destroyed_by_itself) {
  static Gate gate;
  static Gate ended;
  auto thread = std::make_unique<Thread>(nothing);
  *thread = Thread{[&thread] {
    gate.pass();
    thread.reset();
    ended.open();
  }};
  thread->start();
  gate.open();
  ended.pass();
  EXPECT_EQ(thread, nullptr);
}

}  // namespace
}  // namespace brood
