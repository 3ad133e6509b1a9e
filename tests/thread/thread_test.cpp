// SPDX-License-Identifier: MIT
#include <brood/thread.hpp>

#include <atomic>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <brood/base/error.hpp>
#include "thread/gate.hpp"

namespace brood {
namespace {

void nothing() {}

void run(Thread& thread) {
  thread.start();
  thread.join();
}

// What it is made of

TEST(thread, runs_a_function_when_it_is_started_and_not_before) {
  static std::atomic<int> runs{0};
  Thread thread{+[] { ++runs; }};
  EXPECT_EQ(runs, 0);
  run(thread);
  EXPECT_EQ(runs, 1);
}

TEST(thread, hands_arguments_over) {
  int sum = 0;
  std::string text;
  Thread thread{[](int& into, std::string& said, int number, const std::string& word) {
                  into = number;
                  said = word;
                },
                std::ref(sum), std::ref(text), 1, "two"};
  run(thread);
  EXPECT_EQ(sum, 1);
  EXPECT_EQ(text, "two");
}

TEST(thread, copies_its_arguments_when_it_is_made) {
  std::string word = "before";
  std::string seen;
  Thread thread{[&seen](std::string given) { seen = std::move(given); }, word};
  word = "after";
  run(thread);
  EXPECT_EQ(seen, "before");
}

TEST(thread, copies_an_array_as_a_pointer_as_std_thread_does) {
  static const char letters[] = "abc";
  const char* seen = nullptr;
  Thread thread{[&seen](const char* given) { seen = given; }, letters};
  run(thread);
  EXPECT_EQ(seen, letters);
}

TEST(thread, moves_in_what_cannot_be_copied) {
  int seen = 0;
  Thread thread{[&seen](std::unique_ptr<int> given) { seen = *given; }, std::make_unique<int>(7)};
  run(thread);
  EXPECT_EQ(seen, 7);
}

TEST(thread, takes_a_callable_that_cannot_be_copied) {
  int seen = 0;
  Thread thread{[&seen, number = std::make_unique<int>(8)] { seen = *number; }};
  run(thread);
  EXPECT_EQ(seen, 8);
}

TEST(thread, takes_a_single_argument_that_is_a_tuple) {
  int seen = 0;
  Thread thread{[&seen](std::tuple<int, int> pair) { seen = std::get<1>(pair); },
                std::tuple<int, int>{1, 2}};
  run(thread);
  EXPECT_EQ(seen, 2);
}

struct Counter {
  int count = 0;
  void add(int number) { count += number; }
  void add_noexcept(int number) noexcept { count += number; }
};

TEST(thread, calls_a_member_function_on_a_pointer_and_on_a_reference) {
  Counter counter;
  Thread by_pointer{&Counter::add, &counter, 2};
  run(by_pointer);
  Thread by_reference{&Counter::add_noexcept, std::ref(counter), 3};
  run(by_reference);
  EXPECT_EQ(counter.count, 5);
}

TEST(thread, calls_a_callable_by_reference) {
  struct Callable {
    int calls = 0;
    void operator()() { ++calls; }
  } callable;
  Thread thread{std::ref(callable)};
  run(thread);
  EXPECT_EQ(callable.calls, 1);
}

TEST(thread, calls_its_target_as_an_rvalue) {
  struct Once {
    bool* called;
    void operator()() && { *called = true; }
  };
  bool called = false;
  Thread thread{Once{&called}};
  run(thread);
  EXPECT_TRUE(called);
}

TEST(thread, runs_a_callable_that_is_false) {
  struct False {
    bool* called;
    explicit operator bool() const { return false; }
    void operator()() const { *called = true; }
  };
  bool called = false;
  Thread thread{False{&called}};
  run(thread);
  EXPECT_TRUE(called);
}

TEST(thread, ignores_what_the_target_returns) {
  struct [[nodiscard]] Important {};
  Thread thread{[]() -> Important { return {}; }};
  thread.start();
  EXPECT_TRUE(thread.join());
}

TEST(thread, takes_options_first) {
  const auto worker = [](int, const std::string&) {};
  brood::Thread t3{{.name = "t3", .daemon = true}, worker, 1, "two"};
  EXPECT_EQ(t3.name(), "t3");
  EXPECT_TRUE(t3.daemon());
  brood::Thread t4{{.name = "t4"}, nothing};
  EXPECT_FALSE(t4.daemon());
  brood::Thread t5{{}, nothing};
  EXPECT_FALSE(t5.daemon());
}

TEST(thread, takes_options_that_are_variables) {
  ThreadOptions options{.name = "own", .daemon = true};
  Thread one{options, nothing};
  const ThreadOptions fixed{"fixed"};
  Thread other{fixed, nothing};
  EXPECT_EQ(one.name(), "own");
  EXPECT_EQ(options.name, "own");
  EXPECT_EQ(other.name(), "fixed");
}

TEST(thread, is_no_daemon_unless_told) {
  Thread thread{nothing};
  EXPECT_FALSE(thread.daemon());
  // Not even when a daemon makes it.
  bool inherited = true;
  Thread maker{{.daemon = true}, [&inherited] { inherited = Thread{nothing}.daemon(); }};
  run(maker);
  EXPECT_FALSE(inherited);
}

TEST(thread, is_returned_and_listed_and_made_in_place) {
  const auto make = [](int number) -> Thread {
    return {{.name = "made-" + std::to_string(number)}, nothing};
  };
  std::vector<Thread> threads;
  for (int number = 0; number < 20; ++number) threads.push_back(make(number));
  threads.emplace_back(nothing);
  threads.emplace_back(ThreadOptions{.name = "placed"}, nothing);
  for (Thread& thread : threads) thread.start();
  for (Thread& thread : threads) thread.join();
  EXPECT_EQ(threads.front().name(), "made-0");
  EXPECT_EQ(threads.back().name(), "placed");
}

static_assert(!std::is_copy_constructible_v<Thread> && !std::is_copy_assignable_v<Thread>);
static_assert(std::is_nothrow_move_constructible_v<Thread>);
static_assert(std::is_nothrow_move_assignable_v<Thread>);
static_assert(!std::is_convertible_v<void (*)(), Thread>);

// What it forgets

TEST(thread, destroys_target_and_arguments_in_itself_when_the_target_has_ended) {
  struct Witness {
    std::thread::id* destroyed_in;
    explicit Witness(std::thread::id* into) : destroyed_in(into) {}
    ~Witness() { *destroyed_in = std::this_thread::get_id(); }
  };
  std::thread::id argument_in, capture_in, thread_id;
  auto argument = std::make_shared<Witness>(&argument_in);
  auto capture = std::make_shared<Witness>(&capture_in);
  Thread thread{[&thread_id, capture](const std::shared_ptr<Witness>&) {
                  thread_id = std::this_thread::get_id();
                },
                argument};
  argument.reset();
  capture.reset();
  run(thread);
  EXPECT_EQ(argument_in, thread_id);
  EXPECT_EQ(capture_in, thread_id);
}

TEST(thread, destroys_target_and_arguments_of_one_that_throws) {
  set_excepthook([](const ThreadInfo&, std::exception_ptr) {});
  const auto argument = std::make_shared<int>(1);
  Thread thread{[](std::shared_ptr<int>) { throw 1; }, argument};
  EXPECT_EQ(argument.use_count(), 2);
  run(thread);
  EXPECT_EQ(argument.use_count(), 1);
  set_excepthook({});
}

TEST(thread, that_is_never_started_destroys_its_target_where_it_is_destroyed) {
  const auto argument = std::make_shared<int>(1);
  {
    Thread thread{[](const std::shared_ptr<int>&) {}, argument};
    EXPECT_EQ(argument.use_count(), 2);
  }
  EXPECT_EQ(argument.use_count(), 1);
}

// Names

TEST(thread, without_a_name_is_numbered) {
  Thread one{nothing};
  Thread named{{.name = "named"}, nothing};
  Thread other{{.name = ""}, nothing};
  ASSERT_EQ(one.name().find("Thread-"), 0u);
  ASSERT_EQ(other.name().find("Thread-"), 0u);
  // A name that is given uses no number up.
  EXPECT_EQ(std::stoi(other.name().substr(7)), std::stoi(one.name().substr(7)) + 1);
}

TEST(thread, is_renamed_at_any_time) {
  Gate gate;
  Thread thread{{.name = "first"}, [&gate] { gate.pass(); }};
  thread.set_name("second");
  EXPECT_EQ(thread.name(), "second");
  thread.start();
  thread.set_name("third");
  EXPECT_EQ(thread.name(), "third");
  gate.open();
  thread.join();
  thread.set_name("fourth");
  EXPECT_EQ(thread.name(), "fourth");
}

std::string kernel_name_of(const Thread& thread) {
  std::ifstream file("/proc/self/task/" + std::to_string(thread.native_id()) + "/comm");
  std::string name;
  std::getline(file, name);
  return name;
}

TEST(thread, tells_the_kernel_its_name) {
  Gate gate;
  Thread thread{{.name = "a name of some length"}, [&gate] { gate.pass(); }};
  thread.start();
  EXPECT_EQ(kernel_name_of(thread), "a name of some ");
  thread.set_name("short");
  EXPECT_EQ(kernel_name_of(thread), "short");
  EXPECT_EQ(thread.name(), "short");
  gate.open();
}

TEST(thread, renames_itself) {
  Gate gate;
  Gate renamed;
  Thread thread{{.name = "before"}, [&] {
                  thread.set_name("after");
                  renamed.open();
                  gate.pass();
                }};
  thread.start();
  renamed.pass();
  EXPECT_EQ(kernel_name_of(thread), "after");
  gate.open();
}

TEST(thread, cuts_its_name_for_the_kernel_between_characters) {
  Gate gate;
  // Fourteen bytes, then two characters of two bytes each.
  Thread thread{{.name = "fourteen-bytes\xC3\xA4\xC3\xB6"}, [&gate] { gate.pass(); }};
  thread.start();
  EXPECT_EQ(kernel_name_of(thread), "fourteen-bytes");
  gate.open();
}

TEST(thread, is_renamed_and_read_from_many_threads_at_once) {
  Gate gate;
  Thread named{{.name = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, [&gate] { gate.pass(); }};
  named.start();
  const std::set<std::string> allowed{std::string(32, 'a'), std::string(32, 'b'),
                                      std::string(32, 'c')};
  std::atomic<bool> torn{false};
  std::vector<Thread> users;
  for (const char letter : {'b', 'c'}) {
    users.emplace_back([&named, letter] {
      for (int i = 0; i < 200; ++i) named.set_name(std::string(32, letter));
    });
  }
  users.emplace_back([&] {
    for (int i = 0; i < 200; ++i) torn = torn || allowed.count(named.name()) == 0;
  });
  for (Thread& user : users) user.start();
  for (Thread& user : users) user.join();
  EXPECT_FALSE(torn);
  gate.open();
}

}  // namespace
}  // namespace brood
