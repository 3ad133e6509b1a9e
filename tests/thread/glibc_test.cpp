// SPDX-License-Identifier: MIT
#include <brood/thread.hpp>

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <vector>

#include <gtest/gtest.h>

#include "support/leaks.hpp"
#include "thread/default_stack.hpp"
#include "thread/gate.hpp"

// What glibc allows and not every sanitizer does.
namespace brood {
namespace {

TEST(join, that_is_itself_cancelled_leaves_the_thread_to_the_next_one) {
  static Gate gate;
  static Gate reached;
  pthread_key_t key;
  ASSERT_EQ(::pthread_key_create(&key,
                                 [](void*) {
                                   reached.open();
                                   gate.pass();
                                 }),
            0);
  Thread thread{[key] { ::pthread_setspecific(key, &gate); }};
  thread.start();
  reached.pass();
  until([&] { return !thread.is_alive(); });
  Thread joiner{[&thread] { thread.join(); }};
  joiner.start();
  // It sleeps in the kernel's join, which is a cancellation point.
  until([&] { return joiner.state() == ThreadState::waiting; });
  ASSERT_EQ(::pthread_cancel(static_cast<pthread_t>(joiner.ident())), 0);
  EXPECT_TRUE(joiner.join());
  gate.open();
  EXPECT_TRUE(thread.join());
  ::pthread_key_delete(key);
}

TEST(fork, in_a_thread_whose_target_returns_ends_the_child_with_zero) {
  int status = -1;
  Thread thread{[&status] {
    const pid_t child = ::fork();
    if (child != 0) ::waitpid(child, &status, 0);
  }};
  thread.start();
  thread.join();
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(start, works_with_small_stacks) {
  for (const std::size_t size : {std::size_t{256} << 10, std::size_t{1} << 20}) {
    const DefaultStack stack(size);
    std::atomic<int> runs{0};
    std::vector<Thread> threads;
    for (int i = 0; i < 10; ++i) threads.emplace_back([&runs] { ++runs; });
    for (Thread& thread : threads) thread.start();
    for (Thread& thread : threads) thread.join();
    EXPECT_EQ(runs, 10);
  }
}

TEST(exit, of_a_forked_child_does_not_wait_for_the_parents_threads) {
  Gate gate;
  Thread thread{[&gate] { gate.pass(); }};
  thread.start();
  EXPECT_EXIT(std::exit(4), ::testing::ExitedWithCode(4), "^$");
  gate.open();
}

}  // namespace
}  // namespace brood
