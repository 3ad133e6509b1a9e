// SPDX-License-Identifier: MIT
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "pool/contexts.hpp"

// Not in a namespace without a name, and never inlined, so that a stack shows them.
namespace crash_sites {

[[gnu::noinline]] int touch(std::uintptr_t address) {
  return *reinterpret_cast<volatile int*>(address);
}

[[gnu::noinline]] int touch_through_another(std::uintptr_t address) { return touch(address) + 1; }

// Here and below: what a sanitizer would report first.
__attribute__((noinline, no_sanitize("integer-divide-by-zero"))) int divide(int by) {
  volatile int divisor = by;
  return 7 / divisor;
}

[[gnu::noinline]] int give_up(int code) {
  std::abort();
  return code;
}

[[gnu::noinline]] int descend(int depth) {
  volatile char room[1024];
  room[0] = static_cast<char>(depth);
  return depth < 0 ? 0 : descend(depth + 1) + room[0];
}

// Clang's sanitizer looks for the function's type in front of it.
#if defined(__clang__)
#define BROOD_CALLS_ANYTHING __attribute__((no_sanitize("function")))
#else
#define BROOD_CALLS_ANYTHING
#endif
__attribute__((noinline)) BROOD_CALLS_ANYTHING int call(int (*function)()) {
  return function() + 1;
}

// Not memset, which the address sanitizer replaces.
__attribute__((noinline, no_sanitize("address"))) void fill(volatile char* room, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) room[i] = 0x7f;
}

__attribute__((noinline, no_sanitize("address"))) int overwrite_the_stack(std::size_t size) {
  volatile char room[16] = {};
  fill(room, size);
  return touch(std::uintptr_t{0x18});
}

[[gnu::noinline]] int refuse(int number) {
  if (number != 0) throw std::out_of_range("seven of " + std::to_string(number));
  return number;
}

[[gnu::noinline]] int throw_in_noexcept(int number) noexcept { return refuse(number) + 1; }

[[gnu::noinline]] int spin_for_ever(int step) {
  volatile int turns = 0;
  while (step != 0) turns = (turns + step) & 0xff;
  return turns;
}

}  // namespace crash_sites

namespace brood::testing {
namespace {

bool mentions(const std::vector<std::string>& lines, const std::string& name) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.find(name) != std::string::npos; });
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + '\n';
  return text;
}

// What the call ends with, which is a crash.
template <typename... Call>
WorkerCrashed crash_of(Pool& pool, Call&&... call) {
  try {
    pool.apply(std::forward<Call>(call)...);
  } catch (const WorkerCrashed& crash) {
    return crash;
  }
  ADD_FAILURE() << "no worker crashed";
  return {"", 0, 0, 0};
}

class CrashReports : public Processes {};
INSTANTIATE_TEST_SUITE_P(contexts, CrashReports, every_process, name_of);

TEST_P(CrashReports, of_a_segfault_have_its_address_and_its_stack) {
  Pool pool = make_pool(1);
  const std::uintptr_t nowhere = 0x1238;
  const WorkerCrashed crash = crash_of(pool, &crash_sites::touch_through_another, nowhere);
  EXPECT_EQ(crash.signal(), SIGSEGV);
  EXPECT_EQ(crash.exit_code(), -SIGSEGV);
  EXPECT_EQ(crash.signal_code(), SEGV_MAPERR);
  EXPECT_EQ(crash.address(), nowhere);
  EXPECT_FALSE(crash.stack_overflow());
  EXPECT_EQ(crash.task_name(), "crash_sites::touch_through_another(unsigned long)");
  const auto& stack = crash.backtrace();
  ASSERT_GE(stack.size(), 2U);
  EXPECT_NE(stack[0].find("crash_sites::touch(unsigned long)"), std::string::npos) << stack[0];
  EXPECT_NE(stack[1].find("touch_through_another(unsigned long)"), std::string::npos) << stack[1];
  const std::string what = crash.what();
  EXPECT_NE(what.find("SIGSEGV"), std::string::npos) << what;
  EXPECT_NE(what.find("0x1238"), std::string::npos) << what;
  EXPECT_NE(what.find("touch_through_another"), std::string::npos) << what;
  EXPECT_EQ(what.find("stack overflow"), std::string::npos) << what;
  EXPECT_EQ(pool.apply([] { return 1; }), 1);
}

TEST_P(CrashReports, name_a_lambda_by_its_type) {
  Pool pool = make_pool(1);
  const WorkerCrashed crash = crash_of(pool, [] { std::raise(SIGSEGV); });
  EXPECT_NE(crash.task_name().find("lambda"), std::string::npos) << crash.task_name();
  EXPECT_FALSE(crash.address().has_value());
  EXPECT_EQ(crash.signal_code(), SI_TKILL);
}

TEST_P(CrashReports, of_a_bound_function_name_the_function) {
  Pool pool = make_pool(1);
  const WorkerCrashed crash = crash_of(pool, task(&crash_sites::divide, 0));
  EXPECT_EQ(crash.task_name(), "crash_sites::divide(int)");
}

TEST_P(CrashReports, tell_the_item_of_a_map) {
  Pool pool = make_pool(2);
  const auto outcomes = pool.map_outcomes(&crash_sites::divide, std::vector{1, 2, 0, 4});
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (i != 2) {
      EXPECT_TRUE(outcomes[i].has_value()) << i;
      continue;
    }
    try {
      std::rethrow_exception(outcomes[i].error());
    } catch (const WorkerCrashed& crash) {
      EXPECT_EQ(crash.index(), 2U);
      EXPECT_EQ(crash.signal(), SIGFPE);
      EXPECT_EQ(crash.signal_code(), FPE_INTDIV);
      EXPECT_NE(std::string(crash.what()).find("item 2"), std::string::npos) << crash.what();
      EXPECT_TRUE(mentions(crash.backtrace(), "crash_sites::divide(int)"))
          << joined(crash.backtrace());
    }
  }
}

TEST_P(CrashReports, of_an_abort_have_the_stack_that_led_there) {
  Pool pool = make_pool(1);
  const WorkerCrashed crash = crash_of(pool, &crash_sites::give_up, 1);
  EXPECT_EQ(crash.signal(), SIGABRT);
  EXPECT_FALSE(crash.address().has_value());
  EXPECT_TRUE(crash.exception_type().empty());
  EXPECT_TRUE(mentions(crash.backtrace(), "crash_sites::give_up(int)"))
      << joined(crash.backtrace());
}

TEST_P(CrashReports, of_a_stack_overflow_say_so) {
  Pool pool = make_pool(1);
  const WorkerCrashed crash = crash_of(pool, &crash_sites::descend, 0);
  EXPECT_EQ(crash.signal(), SIGSEGV);
  EXPECT_TRUE(crash.stack_overflow());
  EXPECT_NE(std::string(crash.what()).find("stack overflow"), std::string::npos) << crash.what();
  EXPECT_TRUE(mentions(crash.backtrace(), "crash_sites::descend(int)"))
      << joined(crash.backtrace());
}

TEST_P(CrashReports, of_a_call_to_nowhere_show_the_caller) {
  Pool pool = make_pool(1);
  const WorkerCrashed crash =
      crash_of(pool, [] { return crash_sites::call(reinterpret_cast<int (*)()>(0x40)); });
  EXPECT_EQ(crash.signal(), SIGSEGV);
  EXPECT_EQ(crash.address(), std::uintptr_t{0x40});
  EXPECT_TRUE(mentions(crash.backtrace(), "crash_sites::call(")) << joined(crash.backtrace());
}

// The walk over such a stack may fault itself.
TEST_P(CrashReports, survive_a_stack_that_was_written_over) {
  Pool pool = make_pool(1);
  for (const std::size_t size : {std::size_t{64}, std::size_t{4096}}) {
    const WorkerCrashed crash = crash_of(pool, &crash_sites::overwrite_the_stack, size);
    EXPECT_EQ(crash.signal(), SIGSEGV) << size;
    EXPECT_EQ(crash.address(), std::uintptr_t{0x18}) << size;
    ASSERT_FALSE(crash.backtrace().empty()) << size;
    EXPECT_NE(crash.backtrace()[0].find("crash_sites::touch"), std::string::npos)
        << joined(crash.backtrace());
  }
}

TEST_P(CrashReports, have_the_exception_that_left_a_noexcept_function) {
  Pool pool = make_pool(1);
  const WorkerCrashed crash = crash_of(pool, &crash_sites::throw_in_noexcept, 3);
  EXPECT_EQ(crash.signal(), SIGABRT);
  EXPECT_EQ(crash.exception_type(), "std::out_of_range");
  EXPECT_EQ(crash.exception_what(), "seven of 3");
  EXPECT_TRUE(mentions(crash.backtrace(), "crash_sites::throw_in_noexcept(int)"))
      << joined(crash.backtrace());
  const std::string what = crash.what();
  EXPECT_NE(what.find("std::out_of_range: seven of 3"), std::string::npos) << what;
}

TEST_P(CrashReports, have_the_exception_that_left_a_thread) {
  Pool pool = make_pool(1);
  const WorkerCrashed crash =
      crash_of(pool, [] { std::thread([] { throw std::runtime_error("in a thread"); }).join(); });
  EXPECT_EQ(crash.exception_type(), "std::runtime_error");
  EXPECT_EQ(crash.exception_what(), "in a thread");
}

TEST_P(CrashReports, of_an_exit_have_its_code_and_no_stack) {
  Pool pool = make_pool(1);
  const WorkerCrashed crash = crash_of(pool, [] { ::_exit(3); });
  EXPECT_EQ(crash.signal(), 0);
  EXPECT_EQ(crash.exit_code(), 3);
  EXPECT_TRUE(crash.backtrace().empty());
  EXPECT_NE(std::string(crash.what()).find("exit code 3"), std::string::npos) << crash.what();
}

TEST_P(CrashReports, of_a_kill_say_that_it_was_one) {
  Pool pool = make_pool(1);
  const WorkerCrashed crash = crash_of(pool, [] { std::raise(SIGKILL); });
  EXPECT_EQ(crash.signal(), SIGKILL);
  EXPECT_TRUE(crash.backtrace().empty());
  EXPECT_NE(std::string(crash.what()).find("SIGKILL"), std::string::npos) << crash.what();
}

TEST_P(CrashReports, come_whole_out_of_a_pool_of_a_task) {
  Pool pool = make_pool(1);
  const WorkerCrashed crash = crash_of(pool, [] {
    Pool inner(1);
    return inner.map(&crash_sites::divide, std::vector{1, 0}).size();
  });
  EXPECT_EQ(crash.signal(), SIGFPE);
  EXPECT_EQ(crash.exit_code(), -SIGFPE);
  EXPECT_EQ(crash.signal_code(), FPE_INTDIV);
  EXPECT_TRUE(crash.address().has_value());
  EXPECT_EQ(crash.index(), 1U);
  EXPECT_EQ(crash.task_name(), "crash_sites::divide(int)");
  EXPECT_TRUE(mentions(crash.backtrace(), "crash_sites::divide(int)")) << joined(crash.backtrace());
  EXPECT_NE(std::string(crash.what()).find("item 1"), std::string::npos) << crash.what();
}

TEST_P(CrashReports, of_an_initializer_say_how_it_ended) {
  PoolOptions broken = options(1);
  broken.initializer = [] { crash_sites::touch(0x1238); };
  Pool pool(broken);
  try {
    for (;;) pool.apply([] { return 1; });
  } catch (const BrokenPool& error) {
    EXPECT_NE(std::string(error.what()).find("SIGSEGV) at address 0x1238"), std::string::npos)
        << error.what();
  }
}

void leave_with_42(int) { ::_exit(42); }

TEST_P(CrashReports, leave_a_handler_of_the_users_alone) {
  PoolOptions handled = options(1);
  handled.initializer = [] { std::signal(SIGSEGV, leave_with_42); };
  Pool pool(handled);
  const WorkerCrashed crash = crash_of(pool, &crash_sites::touch, std::uintptr_t{0x1238});
  EXPECT_EQ(crash.signal(), 0);
  EXPECT_EQ(crash.exit_code(), 42);
}

// One that is set for a while gives way to the one before it, which tells.
TEST_P(CrashReports, come_also_after_a_handler_that_was_put_back) {
  Pool pool = make_pool(1);
  const WorkerCrashed crash = crash_of(pool, [] {
    const auto before = std::signal(SIGSEGV, leave_with_42);
    std::signal(SIGSEGV, before);
    return crash_sites::touch(0x1238);
  });
  EXPECT_EQ(crash.signal(), SIGSEGV);
}

TEST_P(CrashReports, are_nothing_to_a_child_that_a_task_forks) {
  Pool pool = make_pool(1);
  const int status = pool.apply([] {
    const int child = ::fork();
    if (child == 0) return crash_sites::touch(0x1238);
    int how = 0;
    ::waitpid(child, &how, 0);
    return how;
  });
  EXPECT_EQ(status & 0x7f, SIGSEGV);
}

template <typename... Call>
TaskTimeout timeout_of(Pool& pool, Call&&... call) {
  try {
    pool.apply({.timeout = 30ms}, std::forward<Call>(call)...);
  } catch (const TaskTimeout& timeout) {
    return timeout;
  }
  ADD_FAILURE() << "no task passed its timeout";
  return TaskTimeout("");
}

class TimeoutReports : public Processes {};
INSTANTIATE_TEST_SUITE_P(contexts, TimeoutReports, every_process, name_of);

TEST_P(TimeoutReports, have_the_stack_of_a_task_that_computes) {
  Pool pool = make_pool(1);
  // On a machine that has no time for the worker, its stack may come too late.
  for (;;) {
    const TaskTimeout timeout = timeout_of(pool, &crash_sites::spin_for_ever, 1);
    EXPECT_EQ(timeout.task_name(), "crash_sites::spin_for_ever(int)");
    EXPECT_NE(std::string(timeout.what()).find("spin_for_ever"), std::string::npos)
        << timeout.what();
    if (timeout.backtrace().empty()) continue;
    EXPECT_NE(timeout.backtrace()[0].find("crash_sites::spin_for_ever(int)"), std::string::npos)
        << joined(timeout.backtrace());
    break;
  }
  EXPECT_EQ(pool.stats().crashed, 0U);
}

TEST_P(TimeoutReports, have_the_stack_of_a_task_that_sleeps) {
  Pool pool = make_pool(1);
  for (;;) {
    const TaskTimeout timeout = timeout_of(pool, [] {
      for (;;) ::pause();
    });
    if (timeout.backtrace().empty()) continue;
    EXPECT_TRUE(mentions(timeout.backtrace(), "pause")) << joined(timeout.backtrace());
    break;
  }
}

TEST_P(TimeoutReports, are_without_a_stack_where_signals_are_blocked) {
  Pool pool = make_pool(1);
  const TaskTimeout timeout = timeout_of(pool, [] {
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    return crash_sites::spin_for_ever(1);
  });
  EXPECT_TRUE(timeout.backtrace().empty()) << joined(timeout.backtrace());
  EXPECT_EQ(pool.apply([] { return 1; }), 1);
}

TEST_P(TimeoutReports, are_timeouts_though_the_worker_dies_meanwhile) {
  Pool pool = make_pool(1);
  // It ends by itself once it sees, blocked, the signal that asks for its stack.
  timeout_of(pool, [] {
    sigset_t signals;
    ::sigfillset(&signals);
    ::sigprocmask(SIG_SETMASK, &signals, nullptr);
    for (;;) {
      ::sigpending(&signals);
      for (int number = 1; number <= SIGRTMAX; ++number) {
        if (::sigismember(&signals, number) == 1) ::_exit(0);
      }
    }
  });
  EXPECT_EQ(pool.apply([] { return 1; }), 1);
  EXPECT_EQ(pool.stats().crashed, 0U);
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
