// SPDX-License-Identifier: MIT
//
// What the manual promises of threads, written as its reader writes it.
#include <brood/brood.hpp>

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "thread/gate.hpp"

namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

static_assert(std::is_aggregate_v<brood::ThreadOptions>);
static_assert(!std::is_copy_constructible_v<brood::Thread>);
static_assert(std::is_nothrow_move_constructible_v<brood::Thread>);
static_assert(std::is_nothrow_move_assignable_v<brood::Thread>);

std::atomic<int> sum{0};

void worker() { ++sum; }
void add(int number, const std::string& text) { sum += number + static_cast<int>(text.size()); }
void add_owned(std::unique_ptr<int> number) { sum += *number; }
void set_to_42(int& number) { number = 42; }

struct Counter {
  int count = 0;
  void add(int more) { count += more; }
};
struct OnceOnly {
  void operator()(int number) && { sum += number; }
};

// What the target added to the sum.
int added_by(brood::Thread thread) {
  sum = 0;
  thread.start();
  EXPECT_TRUE(thread.join(100h));
  return sum;
}

std::string text_of(const auto& thing) {
  std::ostringstream out;
  out << thing;
  return out.str();
}

TEST(contract_thread, takes_every_spelling_of_its_options) {
  brood::ThreadOptions filled_in;
  filled_in.name = "filled in";
  const brood::ThreadOptions constant{.name = "constant"};
  EXPECT_EQ((brood::Thread{{.name = "t3", .daemon = true}, worker}.name()), "t3");
  EXPECT_TRUE((brood::Thread{{.daemon = true}, worker}.daemon()));
  EXPECT_FALSE((brood::Thread{{}, worker}.daemon()));
  EXPECT_TRUE((brood::Thread{{"by place", true}, worker}.daemon()));
  EXPECT_EQ((brood::Thread{{"only a name"}, worker}.name()), "only a name");
  EXPECT_EQ((brood::Thread{filled_in, worker}.name()), "filled in");
  EXPECT_EQ((brood::Thread{constant, add, 1, "x"}.name()), "constant");
  EXPECT_EQ((brood::Thread{brood::ThreadOptions{.name = "typed"}, worker}.name()), "typed");
}

TEST(contract_thread, takes_every_kind_of_target) {
  EXPECT_EQ(added_by(brood::Thread{worker}), 1);
  EXPECT_EQ(added_by(brood::Thread{&worker}), 1);
  EXPECT_EQ(added_by(brood::Thread{add, 1, "two"}), 4);
  EXPECT_EQ(added_by(brood::Thread{{.name = "t"}, add, 1, std::string("two")}), 4);
  EXPECT_EQ(added_by(brood::Thread{std::function<void()>(worker)}), 1);
  EXPECT_EQ(added_by(brood::Thread{std::bind(add, 2, "b")}), 3);
  EXPECT_EQ(added_by(brood::Thread{OnceOnly{}, 5}), 5);
  EXPECT_EQ(added_by(brood::Thread{add_owned, std::make_unique<int>(6)}), 6);
  EXPECT_EQ(added_by(brood::Thread{[owned = std::make_unique<int>(7)] { sum += *owned; }}), 7);
  EXPECT_EQ(added_by(brood::Thread{[](std::string_view text) { sum += text == "abc"; }, "abc"}), 1);
  EXPECT_EQ(added_by(brood::Thread{[](auto... all) { sum += (0 + ... + all); }, 1, 2, 3}), 6);
  EXPECT_EQ(added_by(brood::Thread{[] { return std::make_unique<int>(++sum); }}), 1);
}

TEST(contract_thread, refers_to_what_is_wrapped_as_std_thread_does) {
  int number = 0;
  added_by(brood::Thread{set_to_42, std::ref(number)});
  EXPECT_EQ(number, 42);
  Counter counter;
  added_by(brood::Thread{&Counter::add, &counter, 1});
  added_by(brood::Thread{&Counter::add, std::ref(counter), 2});
  EXPECT_EQ(counter.count, 3);
  added_by(brood::Thread{&Counter::add, counter, 4});
  EXPECT_EQ(counter.count, 3) << "a copy was meant";
  const auto shared = std::make_shared<Counter>();
  added_by(brood::Thread{&Counter::add, shared, 5});
  EXPECT_EQ(shared->count, 5);
  auto nameless = [&number](int more) { number += more; };
  added_by(brood::Thread{std::ref(nameless), 1});
  EXPECT_EQ(number, 43);
}

TEST(contract_thread, has_no_ids_before_its_start_and_keeps_them_after_its_end) {
  brood::Thread thread{worker};
  EXPECT_EQ(thread.ident(), 0u);
  EXPECT_EQ(thread.native_id(), 0);
  EXPECT_FALSE(thread.is_alive());
  EXPECT_EQ(thread.state(), brood::ThreadState::unstarted);
  thread.start();
  const auto ident = thread.ident();
  const auto native_id = thread.native_id();
  EXPECT_NE(ident, 0u);
  EXPECT_GT(native_id, 0);
  thread.join();
  EXPECT_EQ(thread.ident(), ident);
  EXPECT_EQ(thread.native_id(), native_id);
  EXPECT_EQ(thread.state(), brood::ThreadState::dead);
}

TEST(contract_thread, is_joined_in_a_time_of_any_kind) {
  brood::Gate gate;
  brood::Thread thread{[&gate] { gate.pass(); }};
  thread.start();
  EXPECT_FALSE(thread.join(0s));
  EXPECT_FALSE(thread.join(-5s));
  EXPECT_FALSE(thread.join(1ms));
  EXPECT_FALSE(thread.join(0.5ms));
  EXPECT_FALSE(thread.join(std::chrono::duration<float>(0.001f)));
  EXPECT_FALSE(thread.join(std::chrono::duration<double>(-1e300)));
  gate.open();
  EXPECT_TRUE(thread.join(std::chrono::duration<double>(1e300)));
  EXPECT_TRUE(thread.join(std::chrono::hours::max()));
  EXPECT_TRUE(thread.join(0s));
}

TEST(contract_thread, says_what_was_wrong_to_ask) {
  brood::Thread thread{{.name = "t"}, worker};
  EXPECT_THAT([&] { thread.join(); }, ThrowsMessage<brood::ValueError>(HasSubstr("call start()")));
  thread.start();
  EXPECT_THAT([&] { thread.start(); }, ThrowsMessage<brood::ValueError>(HasSubstr("thread 't'")));
  thread.join();
  EXPECT_THROW(thread.start(), brood::Error);
  EXPECT_THROW(thread.start(), std::exception);
}

TEST(contract_thread, prints_as_the_manual_shows_it) {
  brood::Gate gate;
  brood::Thread t2{{.name = "t2", .daemon = true}, [&gate] { gate.pass(); }};
  EXPECT_EQ(text_of(t2), "<Thread(t2, initial daemon)>");
  t2.start();
  const std::string ident = std::to_string(t2.ident());
  std::vector<std::string> printed;
  for (const brood::ThreadInfo& t : brood::enumerate()) printed.push_back(text_of(t));
  EXPECT_EQ(printed.front(),
            "<Thread(MainThread, started " + std::to_string(::pthread_self()) + ")>");
  EXPECT_THAT(printed, ::testing::Contains("<Thread(t2, started daemon " + ident + ")>"));
  EXPECT_EQ(text_of(brood::current_thread()), printed.front());
  gate.open();
  t2.join();
  EXPECT_EQ(text_of(t2), "<Thread(t2, stopped daemon " + ident + ")>");
}

TEST(contract_thread, is_found_in_the_list_by_standard_algorithms) {
  brood::Gate gate;
  brood::Thread t2{{.name = "t2"}, [&gate] { gate.pass(); }};
  t2.start();
  const auto all = brood::enumerate();
  EXPECT_EQ(all.size(), brood::active_count());
  const auto by_name = std::ranges::find(all, "t2", &brood::ThreadInfo::name);
  ASSERT_NE(by_name, all.end());
  EXPECT_EQ(std::ranges::find(all, std::string("t2"), &brood::ThreadInfo::name), by_name);
  EXPECT_EQ(std::ranges::find(all, t2.native_id(), &brood::ThreadInfo::native_id), by_name);
  EXPECT_EQ(std::ranges::find(all, t2.ident(), &brood::ThreadInfo::ident), by_name);
  const auto& [name, ident, native_id, daemon, state] = *by_name;
  EXPECT_EQ(name, "t2");
  EXPECT_EQ(ident, t2.ident());
  EXPECT_EQ(native_id, t2.native_id());
  EXPECT_FALSE(daemon);
  EXPECT_NE(state, brood::ThreadState::dead);
  gate.open();
}

// A null what() is nothing to print, and no reason to go down.
struct Speechless : std::exception {
  const char* what() const noexcept override { return nullptr; }
};

TEST(contract_excepthook, is_replaced_and_restored) {
  std::string heard;
  brood::set_excepthook([&heard](const brood::ThreadInfo& thread, std::exception_ptr error) {
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& thrown) {
      heard = thread.name + ": " + thrown.what();
    }
  });
  const auto fail = [] {
    brood::Thread failing{{.name = "failing"}, [] { throw std::runtime_error("no luck"); }};
    failing.start();
    failing.join();
  };
  ::testing::internal::CaptureStderr();
  fail();
  EXPECT_EQ(heard, "failing: no luck");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");

  brood::set_excepthook(nullptr);
  heard.clear();
  ::testing::internal::CaptureStderr();
  fail();
  EXPECT_EQ(heard, "");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "Exception in thread failing: std::runtime_error: no luck\n");
}

TEST(contract_excepthook, survives_an_exception_that_says_nothing) {
  ::testing::internal::CaptureStderr();
  brood::Thread thread{{.name = "quiet"}, [] { throw Speechless{}; }};
  brood::Thread other{{.name = "null"}, [] { throw static_cast<const char*>(nullptr); }};
  thread.start();
  thread.join();
  other.start();
  other.join();
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              ::testing::MatchesRegex("Exception in thread quiet: .*Speechless: \n"
                                      "Exception in thread null: const char\\*: \n"));
}

TEST(contract_timer, calls_once_unless_it_is_cancelled_first) {
  std::atomic<int> rang{0};
  const auto ring = [&rang] { ++rang; };
  brood::Timer cancelled_before{0s, ring};
  cancelled_before.cancel();
  cancelled_before.start();
  EXPECT_TRUE(cancelled_before.join(100h));
  EXPECT_EQ(rang, 0);
  brood::Timer cancelled_while_it_waits{10h, ring};
  cancelled_while_it_waits.start();
  cancelled_while_it_waits.cancel();
  EXPECT_TRUE(cancelled_while_it_waits.join());
  EXPECT_EQ(rang, 0);
  brood::Timer left_alone{0.001s, [&rang](int times, const std::string&) { rang += times; }, 5,
                          "x"};
  left_alone.start();
  left_alone.join();
  EXPECT_EQ(rang, 5);
  left_alone.cancel();
  EXPECT_EQ(rang, 5);
  brood::Timer{2s, ring};
  EXPECT_EQ(rang, 5);
}

TEST(contract_timer, takes_options_first) {
  brood::Gate gate;
  brood::Timer timer{{.name = "bell", .daemon = true}, 0s, [&gate] { gate.pass(); }};
  timer.start();
  const auto all = brood::enumerate();
  const auto found = std::ranges::find(all, "bell", &brood::ThreadInfo::name);
  ASSERT_NE(found, all.end());
  EXPECT_TRUE(found->daemon);
  gate.open();
  timer.join();
}

}  // namespace
