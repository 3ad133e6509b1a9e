// SPDX-License-Identifier: MIT
#include <brood/thread.hpp>

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
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

static_assert(std::is_constructible_v<Timer, std::chrono::seconds, void (*)()>);
static_assert(std::is_constructible_v<Timer, std::chrono::duration<double>, void (*)(int), int>);
static_assert(!std::is_constructible_v<Timer, int, void (*)()>);
static_assert(!std::is_copy_constructible_v<Timer>);
static_assert(std::is_nothrow_move_constructible_v<Timer>);

TEST(timer, calls_after_the_interval) {
  std::chrono::steady_clock::time_point called{};
  Timer timer{20ms, [&called] { called = std::chrono::steady_clock::now(); }};
  const auto begin = std::chrono::steady_clock::now();
  timer.start();
  EXPECT_TRUE(timer.join());
  EXPECT_GE(called - begin, 20ms);
}

TEST(timer, hands_arguments_over) {
  std::string said;
  Timer timer{1ms,
              [](std::string& into, std::unique_ptr<int> number, const std::string& word) {
                into = word + std::to_string(*number);
              },
              std::ref(said), std::make_unique<int>(7), "seven "};
  timer.start();
  timer.join();
  EXPECT_EQ(said, "seven 7");
}

TEST(timer, calls_at_once_when_the_interval_is_negative) {
  bool called = false;
  Timer timer{-5s, [&called] { called = true; }};
  timer.start();
  timer.join();
  EXPECT_TRUE(called);
}

TEST(timer, does_nothing_before_its_start) {
  bool called = false;
  {
    Timer timer{0s, [&called] { called = true; }};
    EXPECT_FALSE(timer.is_alive());
    EXPECT_THROW(timer.join(), ValueError);
  }
  EXPECT_FALSE(called);
}

TEST(timer, is_started_once) {
  Timer timer{0s, nothing};
  timer.start();
  EXPECT_THROW(timer.start(), ValueError);
}

TEST(timer, is_cancelled_while_it_waits) {
  bool called = false;
  Timer timer{24h, [&called] { called = true; }};
  timer.start();
  EXPECT_TRUE(timer.is_alive());
  EXPECT_FALSE(timer.join(1ms));
  EXPECT_TRUE(timer.cancel());
  EXPECT_TRUE(timer.join());
  EXPECT_FALSE(timer.is_alive());
  EXPECT_FALSE(called);
}

TEST(timer, is_cancelled_before_its_start) {
  bool called = false;
  Timer timer{0s, [&called] { called = true; }};
  EXPECT_TRUE(timer.cancel());
  timer.start();
  EXPECT_TRUE(timer.join());
  EXPECT_FALSE(called);
}

TEST(timer, waits_for_ever_until_it_is_cancelled) {
  Timer timer{std::chrono::hours::max(), nothing};
  timer.start();
  EXPECT_FALSE(timer.join(1ms));
  EXPECT_TRUE(timer.cancel());
  EXPECT_TRUE(timer.join());
}

TEST(timer, does_not_interrupt_a_call_that_has_begun) {
  Gate begun;
  Gate gate;
  std::atomic<bool> ended{false};
  Timer timer{0s, [&] {
                begun.open();
                gate.pass();
                ended = true;
              }};
  timer.start();
  begun.pass();
  EXPECT_FALSE(timer.cancel());
  EXPECT_TRUE(timer.is_alive());
  gate.open();
  timer.join();
  EXPECT_TRUE(ended);
  EXPECT_FALSE(timer.cancel());
}

TEST(timer, is_cancelled_or_calls_and_never_both) {
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> calls{0};
    Timer timer{std::chrono::microseconds(round), [&calls] { ++calls; }};
    timer.start();
    std::this_thread::yield();
    const bool cancelled = timer.cancel();
    timer.join();
    ASSERT_EQ(calls, cancelled ? 0 : 1);
  }
}

TEST(timer, is_cancelled_for_one_of_many_who_try) {
  Timer timer{24h, nothing};
  timer.start();
  std::atomic<int> cancelled{0};
  std::vector<Thread> callers;
  for (int i = 0; i < 8; ++i) callers.emplace_back([&] { cancelled += timer.cancel(); });
  for (Thread& caller : callers) caller.start();
  for (Thread& caller : callers) caller.join();
  EXPECT_TRUE(timer.join());
  EXPECT_EQ(cancelled, 1);
}

TEST(timer, that_is_destroyed_while_it_waits_is_cancelled) {
  bool called = false;
  {
    Timer timer{24h, [&called] { called = true; }};
    timer.start();
  }
  EXPECT_FALSE(called);
}

TEST(timer, that_is_destroyed_while_it_calls_is_waited_for) {
  Gate begun;
  Gate gate;
  std::atomic<bool> ended{false};
  Thread opener{[&gate] { gate.open(); }};
  {
    Timer timer{0s, [&] {
                  begun.open();
                  gate.pass();
                  ended = true;
                }};
    timer.start();
    begun.pass();
    opener.start();
  }
  EXPECT_TRUE(ended);
}

TEST(timer, may_be_destroyed_by_its_own_call) {
  static Gate gate;
  static Gate ended;
  std::optional<Timer> timer;
  timer.emplace(0s, [&] {
    gate.pass();
    timer.reset();
    ended.open();
  });
  timer->start();
  gate.open();
  ended.pass();
  EXPECT_FALSE(timer.has_value());
}

TEST(timer, destroys_what_it_holds_when_it_is_cancelled) {
  const auto argument = std::make_shared<int>(1);
  Timer timer{24h, [](const std::shared_ptr<int>&) {}, argument};
  timer.start();
  timer.cancel();
  timer.join();
  EXPECT_EQ(argument.use_count(), 1);
}

TEST(timer, may_be_moved_while_it_waits) {
  std::atomic<int> calls{0};
  Timer one{24h, [&calls] { ++calls; }};
  one.start();
  Timer other = std::move(one);
  EXPECT_FALSE(one.is_alive());  // NOLINT: what is left is the question
  EXPECT_FALSE(one.cancel());
  EXPECT_THROW(one.start(), ValueError);
  EXPECT_TRUE(other.is_alive());
  EXPECT_TRUE(other.cancel());
  EXPECT_TRUE(other.join());
  EXPECT_EQ(calls, 0);
}

TEST(timer, that_is_assigned_to_is_cancelled) {
  std::atomic<int> first{0};
  std::atomic<int> second{0};
  Timer timer{24h, [&first] { ++first; }};
  timer.start();
  timer = Timer{0s, [&second] { ++second; }};
  timer.start();
  timer.join();
  EXPECT_EQ(first, 0);
  EXPECT_EQ(second, 1);
}

TEST(timer, gives_an_error_to_the_excepthook) {
  std::exception_ptr error;
  set_excepthook([&error](const ThreadInfo&, std::exception_ptr thrown) { error = thrown; });
  Timer timer{0s, [] { throw std::out_of_range("late"); }};
  timer.start();
  timer.join();
  set_excepthook({});
  EXPECT_THROW(std::rethrow_exception(error), std::out_of_range);
}

TEST(timer, does_not_share_its_arguments_with_the_next) {
  const auto grow = [](std::vector<int> numbers, std::size_t& size) {
    numbers.push_back(1);
    size = numbers.size();
  };
  const std::vector<int> numbers;
  std::size_t first = 0;
  std::size_t second = 0;
  Timer one{0s, grow, numbers, std::ref(first)};
  Timer other{0s, grow, numbers, std::ref(second)};
  one.start();
  one.join();
  other.start();
  other.join();
  EXPECT_EQ(first, 1u);
  EXPECT_EQ(second, 1u);
}

TEST(timer, is_a_thread_in_the_list) {
  Timer timer{24h, nothing};
  const std::size_t before = bystanders().size();
  timer.start();
  EXPECT_EQ(active_count(), before + 1);
}

}  // namespace
}  // namespace brood
