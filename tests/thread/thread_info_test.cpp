// SPDX-License-Identifier: MIT
#include <brood/thread.hpp>

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "thread/bystanders.hpp"
#include "thread/gate.hpp"

namespace brood {
namespace {

int own_native_id() { return static_cast<int>(::gettid()); }
std::uintptr_t own_ident() { return static_cast<std::uintptr_t>(::pthread_self()); }

template <typename Printable>
std::string printed(const Printable& thread) {
  std::ostringstream out;
  out << thread;
  return out.str();
}

std::vector<std::string> names_of(const std::vector<ThreadInfo>& threads) {
  std::vector<std::string> names;
  for (const ThreadInfo& info : threads) names.push_back(info.name);
  return names;
}

std::vector<ThreadInfo> without(std::vector<ThreadInfo> threads,
                                const std::vector<ThreadInfo>& others) {
  std::erase_if(threads, [&](const ThreadInfo& info) {
    return std::find(others.begin(), others.end(), info) != others.end();
  });
  return threads;
}

TEST(main_thread, is_the_one_that_main_runs_in) {
  const ThreadInfo info = main_thread();
  EXPECT_EQ(info.name, "MainThread");
  EXPECT_EQ(info.native_id, static_cast<int>(::getpid()));
  EXPECT_EQ(info.ident, own_ident());
  EXPECT_FALSE(info.daemon);
  EXPECT_EQ(info.state, ThreadState::running);
  EXPECT_EQ(info, current_thread());
}

TEST(main_thread, is_another_one_for_a_thread) {
  const std::uintptr_t ident_of_main = own_ident();
  Thread thread{[ident_of_main] {
    EXPECT_EQ(main_thread().ident, ident_of_main);
    EXPECT_NE(main_thread(), current_thread());
  }};
  thread.start();
  thread.join();
}

TEST(current_thread, is_the_thread_that_asks) {
  Thread thread{{.name = "asker", .daemon = true}, [] {
                  const ThreadInfo info = current_thread();
                  EXPECT_EQ(info.name, "asker");
                  EXPECT_EQ(info.native_id, own_native_id());
                  EXPECT_EQ(info.ident, own_ident());
                  EXPECT_TRUE(info.daemon);
                  EXPECT_EQ(info.state, ThreadState::running);
                }};
  thread.start();
  thread.join();
}

TEST(current_thread, knows_a_thread_that_others_made) {
  std::thread foreign([] {
    ::pthread_setname_np(::pthread_self(), "foreign");
    const ThreadInfo info = current_thread();
    EXPECT_EQ(info.name, "foreign");
    EXPECT_EQ(info.native_id, own_native_id());
    EXPECT_EQ(info.ident, own_ident());
    EXPECT_TRUE(info.daemon);
    EXPECT_EQ(info.state, ThreadState::running);
  });
  foreign.join();
}

struct AsksLate {
  std::string* name = nullptr;
  ~AsksLate() {
    if (name != nullptr) *name = current_thread().name;
  }
};

TEST(current_thread, is_known_in_destructors_of_thread_locals) {
  std::string late;
  Thread thread{{.name = "late"}, [&late] {
                  thread_local AsksLate asks;
                  asks.name = &late;
                }};
  thread.start();
  thread.join();
  EXPECT_EQ(late, "late");
}

TEST(current_thread, is_known_in_destructors_of_thread_keys) {
  static std::string late;
  pthread_key_t key;
  ASSERT_EQ(::pthread_key_create(&key, [](void*) { late = current_thread().name; }), 0);
  Thread thread{{.name = "later"}, [key] { ::pthread_setspecific(key, &late); }};
  thread.start();
  thread.join();
  EXPECT_EQ(late, "later");
  ::pthread_key_delete(key);
}

TEST(enumerate, lists_main_first_then_ours_in_the_order_of_their_start) {
  const auto others = bystanders();
  Gate gate;
  Thread b{{.name = "b"}, [&gate] { gate.pass(); }};
  Thread a{{.name = "a", .daemon = true}, [&gate] { gate.pass(); }};
  Thread c{{.name = "c"}, [&gate] { gate.pass(); }};
  a.start();
  b.start();
  c.start();
  const auto found = enumerate();
  EXPECT_EQ(found.front(), main_thread());
  EXPECT_EQ(found.front().name, "MainThread");
  const auto ours = without(found, others);
  EXPECT_EQ(names_of(ours), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(ours[0].native_id, a.native_id());
  EXPECT_EQ(ours[0].ident, a.ident());
  EXPECT_TRUE(ours[0].daemon);
  EXPECT_FALSE(ours[1].daemon);
  gate.open();
  a.join();  // a daemon, which nothing else waits for
}

TEST(enumerate, lists_what_others_made_last_as_daemons_by_their_kernel_names) {
  const auto others = bystanders();
  Gate gate;
  Gate named;
  std::atomic<int> native_id{0};
  std::thread foreign([&] {
    ::pthread_setname_np(::pthread_self(), "a (foreign) one");
    native_id = own_native_id();
    named.open();
    gate.pass();
  });
  named.pass();
  Gate other_gate;
  Thread ours{{.name = "ours"}, [&other_gate] { other_gate.pass(); }};
  ours.start();
  const auto found = without(enumerate(), others);
  EXPECT_EQ(names_of(found), (std::vector<std::string>{"ours", "a (foreign) one"}));
  EXPECT_TRUE(found[1].daemon);
  EXPECT_EQ(found[1].native_id, native_id);
  EXPECT_NE(found[1].ident, 0u);
  gate.open();
  foreign.join();
  EXPECT_EQ(names_of(without(enumerate(), others)), (std::vector<std::string>{"ours"}));
  other_gate.open();
}

TEST(enumerate, knows_the_ident_of_a_foreign_thread_that_has_asked_something) {
  Gate gate;
  Gate asked;
  ThreadInfo own_view;
  std::thread foreign([&] {
    own_view = current_thread();
    asked.open();
    gate.pass();
  });
  asked.pass();
  const auto found = enumerate();
  EXPECT_NE(std::find(found.begin(), found.end(), own_view), found.end());
  gate.open();
  foreign.join();
}

TEST(enumerate, lists_the_same_thread_as_it_sees_itself) {
  Thread thread{[] {
    const auto found = enumerate();
    EXPECT_NE(std::find(found.begin(), found.end(), current_thread()), found.end());
  }};
  thread.start();
  thread.join();
}

TEST(enumerate, never_lists_a_thread_that_was_joined) {
  for (int round = 0; round < 200; ++round) {
    Thread thread{{.name = "joined"}, [] {}};
    thread.start();
    const int native_id = thread.native_id();
    thread.join();
    for (const ThreadInfo& info : enumerate()) {
      ASSERT_NE(info.name, "joined");
      ASSERT_NE(info.native_id, native_id);
    }
  }
}

TEST(enumerate, never_lists_a_foreign_thread_that_was_joined) {
  for (int round = 0; round < 200; ++round) {
    int native_id = 0;
    std::thread([&native_id] { native_id = own_native_id(); }).join();
    for (const ThreadInfo& info : enumerate()) ASSERT_NE(info.native_id, native_id);
  }
}

TEST(enumerate, does_not_list_what_is_not_started) {
  const Thread thread{{.name = "unstarted"}, [] {}};
  for (const ThreadInfo& info : enumerate()) EXPECT_NE(info.name, "unstarted");
}

TEST(enumerate, never_takes_one_of_ours_for_a_foreign_one) {
  const auto others = bystanders();
  std::atomic<bool> enough{false};
  std::vector<Thread> busy;
  for (int i = 0; i < 3; ++i) {
    busy.emplace_back(ThreadOptions{.name = "maker"}, [&enough, i] {
      while (!enough) {
        Thread made{{.name = "made"}, [] {}};
        made.start();
        if (i == 0) made.join();
        if (i == 1) until([&made] { return !made.is_alive(); });
      }
    });
  }
  for (Thread& maker : busy) maker.start();
  for (int round = 0; round < 300; ++round) {
    for (const ThreadInfo& info : without(enumerate(), others)) {
      ASSERT_FALSE(info.daemon) << info;
      ASSERT_TRUE(info.name == "maker" || info.name == "made") << info;
      ASSERT_NE(info.ident, 0u);
      ASSERT_NE(info.native_id, 0);
    }
  }
  enough = true;
}

TEST(active_count, is_the_length_of_the_list) {
  Gate gate;
  const std::size_t before = bystanders().size();
  EXPECT_EQ(active_count(), before);
  std::vector<Thread> threads;
  for (int i = 0; i < 5; ++i) threads.emplace_back([&gate] { gate.pass(); });
  EXPECT_EQ(active_count(), before);
  for (Thread& thread : threads) thread.start();
  EXPECT_EQ(active_count(), before + 5);
  gate.open();
  for (Thread& thread : threads) thread.join();
  EXPECT_EQ(active_count(), before);
}

TEST(a_printed_thread, tells_name_stage_daemon_and_ident) {
  EXPECT_EQ(printed(ThreadInfo{.name = std::string("t2"),
                               .ident = 140735,
                               .native_id = 7,
                               .daemon = true,
                               .state = ThreadState::waiting}),
            "<Thread(t2, started daemon 140735)>");
  EXPECT_EQ(printed(ThreadInfo{.name = std::string("t2"),
                               .ident = 140735,
                               .native_id = 7,
                               .daemon = false,
                               .state = ThreadState::running}),
            "<Thread(t2, started 140735)>");
}

TEST(a_printed_thread, goes_from_initial_to_started_to_stopped) {
  Gate gate;
  Thread thread{{.name = "t"}, [&gate] { gate.pass(); }};
  EXPECT_EQ(printed(thread), "<Thread(t, initial)>");
  thread.start();
  const std::string ident = std::to_string(thread.ident());
  EXPECT_EQ(printed(thread), "<Thread(t, started " + ident + ")>");
  gate.open();
  // By itself, without a join.
  until([&] { return !thread.is_alive(); });
  EXPECT_EQ(printed(thread), "<Thread(t, stopped " + ident + ")>");
}

TEST(a_printed_thread, says_daemon_only_of_one) {
  const Thread daemon{{.name = "d", .daemon = true}, [] {}};
  EXPECT_EQ(printed(daemon), "<Thread(d, initial daemon)>");
  EXPECT_EQ(printed(main_thread()),
            "<Thread(MainThread, started " + std::to_string(own_ident()) + ")>");
}

}  // namespace
}  // namespace brood
