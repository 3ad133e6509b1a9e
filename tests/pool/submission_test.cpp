// SPDX-License-Identifier: MIT
//
// Submitting from many threads, fast, and while the pool ends.
#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "pool/contexts.hpp"
#include "support/scratch.hpp"

namespace brood::testing {
namespace {

int doubled(int x) { return 2 * x; }

// Of each of three threads, in order.
using Accepted = std::vector<std::vector<AsyncResult<int>>>;

// Three threads submit as fast as they can until the pool refuses; `end` ends it in the
// middle of that.
template <typename End>
Accepted submit_until_refused(Pool& pool, const End& end) {
  Accepted accepted(3);
  std::atomic<int> begun{0};
  std::vector<std::thread> threads;
  for (auto& results : accepted) {
    threads.emplace_back([&] {
      try {
        for (int i = 0;; ++i) {
          results.push_back(pool.apply_async(doubled, i));
          if (i == 50) ++begun;
        }
      } catch (const ValueError&) {
      }
    });
  }
  while (begun.load() != 3) std::this_thread::yield();
  end();
  for (auto& thread : threads) thread.join();
  return accepted;
}

class Submissions : public AllContexts {};

TEST_P(Submissions, of_many_threads_at_once_are_all_answered) {
  Pool pool = make_pool(2);
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      std::vector<AsyncResult<int>> results;
      for (int i = 0; i < 3000; ++i) {
        results.push_back(pool.apply_async(doubled, thread * 3000 + i));
        // Now and then a caller that waits, between those that only submit.
        if (i % 500 == 499 && results.back().get() != 2 * (thread * 3000 + i)) ++wrong;
      }
      for (int i = 0; i < 3000; ++i) {
        if (results[static_cast<std::size_t>(i)].get() != 2 * (thread * 3000 + i)) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_EQ(pool.stats().done, 8U * 3000U);
  EXPECT_EQ(pool.stats().queued, 0U);
}

// Nobody waits for them, so nobody but the pool itself moves them on.
TEST_P(Submissions, in_a_torrent_are_run_though_nobody_waits) {
  Pool pool = make_pool(2);
  std::atomic<int> called{0};
  std::vector<AsyncResult<int>> results;
  for (int i = 0; i < 20'000; ++i) results.push_back(pool.apply_async(doubled, i));
  pool.apply_async({.callback = [&](int) { ++called; }}, doubled, 1);
  pool.close();
  pool.join();
  EXPECT_EQ(called.load(), 1);
  for (int i = 0; i < 20'000; ++i) ASSERT_EQ(results[static_cast<std::size_t>(i)].get(), 2 * i);
}

// Threads that come and go leave no line, and no task, behind.
// Among those moments at which a worker stops looking for work, and falls asleep.
TEST_P(Submissions, at_any_moment_are_run_though_nobody_waits) {
  using namespace std::chrono_literals;
  Pool pool = make_pool(2);
  for (int i = 0; i < 2000; ++i) {
    const auto end = std::chrono::steady_clock::now() + i % 500 * 400ns;
    while (std::chrono::steady_clock::now() < end) continue;
    const auto one = pool.apply_async(doubled, i);
    const auto other = pool.apply_async(doubled, i + 1);
    while (!one.ready() || !other.ready()) std::this_thread::yield();
    ASSERT_EQ(one.get() + other.get(), 4 * i + 2);
  }
}

TEST_P(Submissions, of_threads_that_have_ended_are_run) {
  Pool pool = make_pool(2);
  std::vector<AsyncResult<int>> results;
  for (int i = 0; i < 200; ++i) {
    std::thread([&] {
      for (int j = 0; j < 20; ++j) results.push_back(pool.apply_async(doubled, 20 * i + j));
    }).join();
  }
  for (int i = 0; i < 4000; ++i) ASSERT_EQ(results[static_cast<std::size_t>(i)].get(), 2 * i);
}

TEST_P(Submissions, at_the_end_of_a_thread_are_run) {
  struct AtTheEnd {
    Pool& pool;
    std::vector<AsyncResult<int>>& results;
    ~AtTheEnd() {
      for (int i = 1; i < 50; ++i) results.push_back(pool.apply_async(doubled, i));
    }
  };
  Pool pool = make_pool(2);
  std::vector<AsyncResult<int>> results;
  std::thread([&] {
    // Made first, so gone last: after what the library keeps for the thread.
    thread_local std::optional<AtTheEnd> last;
    last.emplace(pool, results);
    results.push_back(pool.apply_async(doubled, 0));
  }).join();
  ASSERT_EQ(results.size(), 50U);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(results[static_cast<std::size_t>(i)].get(), 2 * i);
}

// Each task is refused, or settled.
TEST_P(Submissions, beside_close_are_refused_or_run) {
  for (int round = 0; round < 20; ++round) {
    Pool pool = make_pool(1);
    const Accepted accepted = submit_until_refused(pool, [&] { pool.close(); });
    pool.join();
    for (const auto& results : accepted) {
      for (std::size_t i = 0; i < results.size(); ++i) {
        ASSERT_TRUE(results[i].ready());
        try {
          ASSERT_EQ(results[i].get(), 2 * static_cast<int>(i));
        } catch (const CancelledError&) {
          // It came in the very instant in which the pool ended.
          ASSERT_EQ(i + 1, results.size());
        }
      }
    }
  }
}

TEST_P(Submissions, beside_terminate_are_settled) {
  for (int round = 0; round < 20; ++round) {
    Pool pool = make_pool(1);
    const Accepted accepted = submit_until_refused(pool, [&] { pool.terminate(); });
    for (const auto& results : accepted) {
      for (const auto& result : results) ASSERT_TRUE(result.ready());
    }
  }
}

// More pools than a thread remembers its lines in.
TEST_P(Submissions, to_many_pools_in_turn_keep_their_order) {
  std::vector<Pool> pools;
  for (int i = 0; i < 7; ++i) pools.push_back(make_pool(1));
  std::vector<std::vector<int>> order(pools.size());
  for (int i = 0; i < 300; ++i) {
    for (std::size_t which = 0; which < pools.size(); ++which) {
      pools[which].apply_async({.callback = [&order, which](int x) { order[which].push_back(x); }},
                               doubled, i);
    }
  }
  for (Pool& pool : pools) {
    pool.close();
    pool.join();
  }
  for (const auto& each : order) {
    ASSERT_EQ(each.size(), 300U);
    for (int i = 0; i < 300; ++i) ASSERT_EQ(each[static_cast<std::size_t>(i)], 2 * i);
  }
}

INSTANTIATE_TEST_SUITE_P(contexts, Submissions, every_context, name_of);

// A worker that is asleep takes over what waits behind a long task, though tasks were
// too short before to be worth waking it.
TEST(ShortTasks, do_not_keep_a_long_one_waiting) {
  const Scratch scratch;
  const Gate gate(scratch);
  Pool pool{2};
  for (int i = 0; i < 2000; ++i) pool.apply(doubled, i);
  // Neither ends before the other has begun.
  const auto one = pool.apply_async([](const std::string& at) { pass(at); }, gate.path());
  const auto other =
      pool.apply_async([](const std::string& at) { write_file(at, "x"); }, gate.path());
  one.get();
  other.get();
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
