// SPDX-License-Identifier: MIT
//
// Calls that their callers wait for, which may pass the lines by: beside all that is
// submitted otherwise, and while the pool ends.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "pool/facts.hpp"

namespace brood::testing {
namespace {

int doubled(int x) { return 2 * x; }
std::uint64_t own_id() { return this_task::id().number; }
int busy_for(std::chrono::nanoseconds span) {
  const auto end = std::chrono::steady_clock::now() + span;
  while (std::chrono::steady_clock::now() < end) {
  }
  return 1;
}

class WaitedCalls : public AllContexts {};

TEST_P(WaitedCalls, come_after_what_their_thread_has_submitted) {
  const Scratch scratch;
  const std::string runs = scratch.path("runs");
  Pool pool = make_pool(1);
  for (std::size_t round = 1; round <= 20; ++round) {
    for (int i = 0; i < 25; ++i) pool.apply_async(note_run, runs);
    EXPECT_EQ(pool.apply(runs_noted, runs), 25 * round);
  }
}

TEST_P(WaitedCalls, have_ids_in_one_row_with_all_others) {
  Pool pool = make_pool(2);
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 100; ++i) {
    ids.push_back(pool.apply(own_id));
    for (int j = 0; j < i % 4; ++j) ids.push_back(pool.apply_async(own_id).get());
  }
  const std::set<std::uint64_t> different(ids.begin(), ids.end());
  EXPECT_EQ(different.size(), ids.size());
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  EXPECT_EQ(ids.back() - ids.front(), ids.size() - 1);
}

TEST_P(WaitedCalls, of_many_threads_are_answered_beside_a_torrent) {
  Pool pool = make_pool(2);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 2000; ++i) {
        if (pool.apply(doubled, thread * 2000 + i) != 2 * (thread * 2000 + i)) ++wrong;
      }
    });
  }
  std::vector<AsyncResult<int>> results;
  for (int i = 0; i < 20'000; ++i) results.push_back(pool.apply_async(doubled, i));
  for (auto& thread : threads) thread.join();
  for (int i = 0; i < 20'000; ++i) ASSERT_EQ(results[static_cast<std::size_t>(i)].get(), 2 * i);
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_EQ(pool.stats().done, 28'000U);
}

// Who looks for the end of a short one takes its time, and the worker that of a long one; one
// after the other, and among others.
TEST_P(WaitedCalls, are_timed_whoever_sees_them_end) {
  constexpr int rounds = 50;
  Pool pool = make_pool(1);
  pool.apply(doubled, 1);
  for (const auto span : {std::chrono::microseconds(20), std::chrono::microseconds(400)}) {
    const auto before = pool.stats();
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < rounds; ++i) {
      pool.apply(busy_for, span);
      pool.apply_async(busy_for, span).get();
    }
    const auto took = std::chrono::steady_clock::now() - begin;
    const auto after = pool.stats();
    // A caller that loses its CPU just before its last look takes the call for shorter.
    EXPECT_GE(after.run_time - before.run_time, rounds * span);
    EXPECT_LE(after.run_time - before.run_time, took);
  }
}

// Whoever waits for a call of its own need not look after others'.
TEST_P(WaitedCalls, that_last_hold_up_nobody_elses) {
  const Scratch scratch;
  const std::string sign = scratch.path("sign");
  const std::string runs = scratch.path("runs");
  Pool pool = make_pool(2);
  std::thread waiting([&] { EXPECT_EQ(pool.apply(until_there, sign), 1); });
  eventually([&] { return pool.stats().running == 1; });
  for (int i = 0; i < 500; ++i) pool.apply_async(note_run, runs);
  eventually([&] { return pool.stats().done == 500; });
  write_file(sign, "now");
  waiting.join();
  EXPECT_EQ(runs_noted(runs), 500U);
}

TEST_P(WaitedCalls, that_are_at_work_are_seen) {
  const Scratch scratch;
  const std::string sign = scratch.path("sign");
  Pool pool = make_pool(1);
  std::thread waiting([&] { pool.apply(until_there, sign); });
  eventually([&] { return pool.stats().running == 1; });
  EXPECT_EQ(pool.stats().queued, 0U);
  write_file(sign, "now");
  waiting.join();
  const PoolStats after = pool.stats();
  EXPECT_EQ(after.running, 0U);
  EXPECT_EQ(after.done, 1U);
}

TEST_P(WaitedCalls, end_with_their_pool) {
  for (int round = 0; round < 20; ++round) {
    Pool pool = make_pool(1);
    std::atomic<int> calls{0};
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 2; ++thread) {
      threads.emplace_back([&] {
        // Until the pool is closed, or ends under one of them.
        try {
          for (;; ++calls) EXPECT_EQ(pool.apply(doubled, 21), 42);
        } catch (const ValueError&) {
        } catch (const CancelledError&) {
        }
      });
    }
    while (calls.load() < 50) std::this_thread::yield();
    pool.terminate();
    for (auto& thread : threads) thread.join();
  }
}

TEST_P(WaitedCalls, that_last_are_cancelled_by_terminate) {
  Pool pool = make_pool(1);
  std::thread waiting([&] { EXPECT_THROW(pool.apply(until_stopped), CancelledError); });
  eventually([&] { return pool.stats().running == 1; });
  pool.terminate();
  waiting.join();
}

TEST_P(WaitedCalls, are_done_though_the_pool_is_closed_meanwhile) {
  const Scratch scratch;
  const std::string sign = scratch.path("sign");
  Pool pool = make_pool(1);
  std::thread waiting([&] { EXPECT_EQ(pool.apply(until_there, sign), 1); });
  eventually([&] { return pool.stats().running == 1; });
  pool.close();
  write_file(sign, "now");
  EXPECT_TRUE(pool.join());
  waiting.join();
  EXPECT_THROW(pool.apply(doubled, 1), ValueError);
}

// The last one that is settled, by a thread that waits for it, lets the workers go.
TEST_P(WaitedCalls, let_a_closed_pool_end_that_is_waited_for_in_get) {
  const Scratch scratch;
  const std::string sign = scratch.path("sign");
  Pool pool = make_pool(2);
  auto result = pool.apply_async(until_there, sign);
  std::thread waiting([&] { EXPECT_EQ(result.get(), 1); });
  eventually([&] { return pool.stats().running == 1; });
  pool.close();
  write_file(sign, "now");
  EXPECT_TRUE(pool.join());
  waiting.join();
}

INSTANTIATE_TEST_SUITE_P(contexts, WaitedCalls, every_context, name_of);

class WaitedCallsOfProcesses : public Processes {};

int die_of(int signal) {
  ::raise(signal);
  return 0;
}

TEST_P(WaitedCallsOfProcesses, that_crash_say_so_each_time) {
  Pool pool = make_pool(2);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(pool.apply(doubled, i), 2 * i);
    EXPECT_THROW(pool.apply(die_of, SIGKILL), WorkerCrashed);
  }
  EXPECT_EQ(pool.stats().crashed, 20U);
}

int die_at_first(const std::string& runs) {
  note_run(runs);
  if (runs_noted(runs) % 3 != 0) ::raise(SIGKILL);
  return 7;
}

TEST_P(WaitedCallsOfProcesses, are_tried_again) {
  const Scratch scratch;
  const std::string runs = scratch.path("runs");
  Pool pool = make_pool(1);
  for (std::size_t round = 1; round <= 5; ++round) {
    EXPECT_EQ(pool.apply({.retries = 2}, die_at_first, runs), 7);
    EXPECT_EQ(runs_noted(runs), 3 * round);
  }
}

TEST_P(WaitedCallsOfProcesses, pass_their_deadline) {
  Pool pool = make_pool(1);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THROW(pool.apply({.timeout = 20ms}, for_ever), TaskTimeout);
    EXPECT_EQ(pool.apply(doubled, i), 2 * i);
  }
}

// Its worker gets nothing else, and leaves.
TEST_P(WaitedCallsOfProcesses, count_as_tasks_of_their_worker) {
  PoolOptions limited = options(1);
  limited.maxtasksperchild = 2;
  Pool pool(limited);
  std::vector<int> pids;
  for (int i = 0; i < 10; ++i) pids.push_back(pool.apply(own_pid));
  EXPECT_EQ(std::set<int>(pids.begin(), pids.end()).size(), 5U);
  for (std::size_t i = 0; i < pids.size(); i += 2) EXPECT_EQ(pids[i], pids[i + 1]);
}

INSTANTIATE_TEST_SUITE_P(contexts, WaitedCallsOfProcesses, every_process, name_of);

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
