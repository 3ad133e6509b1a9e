// SPDX-License-Identifier: MIT
#include <brood/thread.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <brood/base/error.hpp>
#include "thread/gate.hpp"

// What a child made by fork(2) sees. Children end by _exit, and start no thread
// where the parent has several: ThreadSanitizer cannot follow that.
namespace brood {
namespace {

using namespace std::chrono_literals;

// In a child: says which line is wrong, and makes it exit 1.
#define HOLDS(condition)                                      \
  do {                                                        \
    if (!(condition)) {                                       \
      std::cerr << "in the child: " #condition " is wrong\n"; \
      ::_exit(1);                                             \
    }                                                         \
  } while (false)

// The exit code of a child that runs `body`.
int in_child(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(fork, leaves_the_forking_thread_alone_in_the_list) {
  Gate gate;
  Thread ours{[&gate] { gate.pass(); }};
  ours.start();
  Gate asked;
  std::thread foreign([&] {
    current_thread();
    asked.open();
    gate.pass();
  });
  asked.pass();
  EXPECT_EQ(in_child([] {
              const auto found = enumerate();
              HOLDS(found.size() == 1);
              HOLDS(active_count() == 1);
              HOLDS(found.front() == current_thread());
              HOLDS(found.front() == main_thread());
              HOLDS(found.front().name == "MainThread");
              HOLDS(found.front().native_id == ::getpid());
            }),
            0);
  gate.open();
  foreign.join();
}

TEST(fork, makes_other_threads_dead_and_joined) {
  for (int round = 0; round < 20; ++round) {
    Gate gate;
    Thread thread{{.name = "parent's"}, [&gate] { gate.pass(); }};
    thread.start();
    EXPECT_EQ(in_child([&thread] {
                HOLDS(!thread.is_alive());
                HOLDS(thread.state() == ThreadState::dead);
                HOLDS(thread.join());
                HOLDS(thread.join(1h));
                HOLDS(thread.name() == "parent's");
                HOLDS(thread.native_id() != 0);
                thread.set_name("child's");
                HOLDS(thread.name() == "child's");
                bool refused = false;
                try {
                  thread.start();
                } catch (const ValueError&) {
                  refused = true;
                }
                HOLDS(refused);
              }),
              0);
    EXPECT_TRUE(thread.is_alive());
    EXPECT_EQ(thread.name(), "parent's");
    gate.open();
  }
}

TEST(fork, lets_a_parents_thread_be_destroyed_in_the_child) {
  static Gate gate;  // outlives the daemon's look at it
  std::vector<Thread> threads;
  threads.emplace_back([] { gate.pass(); });
  threads.emplace_back(ThreadOptions{.daemon = true}, [] { gate.pass(); });
  for (Thread& thread : threads) thread.start();
  EXPECT_EQ(in_child([&threads] { threads.clear(); }), 0);
  gate.open();
}

TEST(fork, in_a_thread_makes_it_the_main_one_under_its_name) {
  const int parent = static_cast<int>(::getpid());
  int code = -1;
  Thread* self = nullptr;
  Thread thread{{.name = "forker"}, [&] {
                  code = in_child([&] {
                    const ThreadInfo info = main_thread();
                    HOLDS(info == current_thread());
                    HOLDS(info.name == "forker");
                    HOLDS(info.native_id == ::getpid() && info.native_id != parent);
                    HOLDS(enumerate().size() == 1);
                    HOLDS(enumerate().front().name == "forker");
                    HOLDS(self->is_alive());
                    HOLDS(self->native_id() == ::getpid());
                    self->set_name("renamed");
                    HOLDS(main_thread().name == "renamed");
                  });
                }};
  self = &thread;
  thread.start();
  thread.join();
  EXPECT_EQ(code, 0);
}

TEST(fork, in_a_foreign_thread_makes_it_the_main_one) {
  int code = -1;
  std::thread foreign([&code] {
    code = in_child([] {
      HOLDS(enumerate().size() == 1);
      HOLDS(main_thread() == current_thread());
      HOLDS(main_thread().native_id == ::getpid());
    });
  });
  foreign.join();
  EXPECT_EQ(code, 0);
}

TEST(fork, by_sixteen_threads_at_once_locks_nobody_up) {
  std::atomic<bool> enough{false};
  Thread asker{[&enough] {
    while (!enough) {
      enumerate();
      Thread passing{[] {}};
      passing.start();
    }
  }};
  asker.start();
  std::vector<Thread> forkers;
  std::atomic<int> right{0};
  for (int i = 0; i < 16; ++i) {
    forkers.emplace_back([&right, i] {
      for (int round = 0; round < 3; ++round) {
        right += in_child([i] {
                   HOLDS(enumerate().size() == 1);
                   ::_exit(i);
                 }) == i;
      }
    });
  }
  for (Thread& forker : forkers) forker.start();
  for (Thread& forker : forkers) forker.join();
  enough = true;
  asker.join();
  EXPECT_EQ(right, 48);
}

// Of a parent with one thread: ThreadSanitizer follows these.
TEST(fork, lets_the_child_start_threads) {
  Thread unstarted{{.name = "unstarted"}, [] {}};
  EXPECT_EQ(in_child([&unstarted] {
              unstarted.start();
              HOLDS(unstarted.join());
              Gate gate;
              Thread thread{{.name = "child's"}, [&gate] { gate.pass(); }};
              thread.start();
              HOLDS(enumerate()[1].name == "child's");
              gate.open();
              HOLDS(thread.join());
            }),
            0);
  EXPECT_EQ(unstarted.state(), ThreadState::unstarted);
}

}  // namespace
}  // namespace brood
