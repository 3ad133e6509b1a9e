// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <numeric>
#include <ranges>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "pool/facts.hpp"
#include "pool/whereabouts.hpp"

// Tasks that submit tasks to their own pool of threads and wait for them, and tiny ones
// in bulk.
namespace brood::testing {
namespace {

Pool make_threads(Count threads) {
  return Pool{{.processes = threads, .context = Context::thread}};
}

int fib(Pool* pool, int n) {
  if (n < 2) return n;
  const auto deeper = [&](int m) { return pool->apply_async(local([=] { return fib(pool, m); })); };
  const auto one = deeper(n - 1);
  const auto two = deeper(n - 2);
  return one.get() + two.get();
}

class ThreadTasks : public ::testing::TestWithParam<int> {
 protected:
  Pool pool_ = make_threads(GetParam());
};
INSTANTIATE_TEST_SUITE_P(threads, ThreadTasks, ::testing::Values(1, 2, 4));

TEST_P(ThreadTasks, submit_tasks_and_wait_for_them_at_any_depth) {
  EXPECT_EQ(pool_.apply(local([&] { return fib(&pool_, 15); })), 610);
  pool_.close();
  pool_.join();
  const PoolStats stats = pool_.stats();
  EXPECT_EQ(stats.done, 1973U);
  EXPECT_EQ(stats.queued, 0U);
  EXPECT_EQ(stats.running, 0U);
}

// Threads that get in each other's way go to other CPUs, by themselves.
TEST_P(ThreadTasks, leave_their_threads_to_the_CPUs_that_they_had) {
  const CpuNumbers before = own_cpus();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(pool_.apply(local([&] { return fib(&pool_, 8); })), 21);
    EXPECT_EQ(pool_.apply(local([] { return own_cpus(); })), before);
  }
}

TEST_P(ThreadTasks, may_wait_in_any_order) {
  const auto sum = pool_.apply(local([&] {
    std::vector<AsyncResult<int>> squares;
    for (int i = 0; i < 1000; ++i) squares.push_back(pool_.apply_async(square, i));
    int all = 0;
    for (std::size_t i = 0; i < squares.size(); i += 2) all += squares[i].get();
    for (std::size_t i = squares.size(); i > 0; i -= 2) all += squares[i - 1].get();
    return all;
  }));
  EXPECT_EQ(sum, 332'833'500);
}

TEST_P(ThreadTasks, may_wait_for_a_map_of_their_pool) {
  const auto sums = pool_.map(local([&](int n) {
                                const auto squares = pool_.map(square, std::vector<int>(1000, n));
                                return std::accumulate(squares.begin(), squares.end(), 0);
                              }),
                              {1, 2, 3});
  EXPECT_EQ(sums, (std::vector{1000, 4000, 9000}));
}

TEST_P(ThreadTasks, may_read_a_lazy_map_of_their_pool) {
  EXPECT_EQ(pool_.apply(local([&] {
    int sum = 0;
    for (const int each : pool_.imap(square, {1, 2, 3})) sum += each;
    return sum;
  })),
            14);
}

TEST_P(ThreadTasks, may_wait_for_one_with_a_timeout) {
  EXPECT_THROW(pool_.apply(local([&] { return pool_.apply({.timeout = 20ms}, until_stopped); })),
               TaskTimeout);
  EXPECT_EQ(pool_.apply(square, 3), 9);
}

TEST_P(ThreadTasks, need_not_wait_to_the_end) {
  const Scratch scratch;
  const std::string gate = scratch.path("gate");
  EXPECT_EQ(pool_.apply(local([&] {
    const auto child = pool_.apply_async(until_there, gate);
    EXPECT_THROW(child.get(5ms), TimeoutError);
    std::ofstream(gate) << "open";
    return child.get();
  })),
            1);
}

TEST_P(ThreadTasks, see_the_errors_of_theirs) {
  EXPECT_THROW(pool_.apply(local([&] {
    const auto failing = pool_.apply_async([]() -> int { throw std::out_of_range("deep"); });
    return failing.get();
  })),
               std::out_of_range);
}

TEST_P(ThreadTasks, keep_what_this_task_says_while_they_run_another) {
  EXPECT_TRUE(pool_.apply(local([&] {
    const JobId own = this_task::id();
    const JobId other = pool_.apply([] { return this_task::id(); });
    return own == this_task::id() && other != own;
  })));
}

// The other task wants what the waiting one holds, and the one waited for runs elsewhere.
TEST(WaitingTasks, run_nothing_that_they_did_not_ask_for) {
  Pool pool = make_threads(2);
  std::mutex held;
  std::atomic<bool> child_runs{false};
  std::atomic<bool> other_runs{false};
  std::atomic<bool> let_child_end{false};
  const auto waiting = pool.apply_async(local([&] {
    const std::lock_guard lock(held);
    const auto child = pool.apply_async(local([&] {
      child_runs = true;
      eventually([&] { return let_child_end.load(); });
    }));
    eventually([&] { return child_runs.load(); });
    child.get();
  }));
  eventually([&] { return child_runs.load(); });
  const auto other = pool.apply_async(local([&] {
    other_runs = true;
    const std::lock_guard lock(held);
  }));
  // Both threads are taken, one by a task that waits: another has its place.
  eventually([&] { return other_runs.load(); });
  let_child_end = true;
  waiting.get();
  other.get();
  EXPECT_EQ(pool.stats().workers, 2U);
}

TEST(WaitingTasks, leave_their_tasks_to_idle_threads) {
  Pool pool = make_threads(2);
  constexpr int count = 100;
  const auto thieves = pool.apply(local([&] {
    std::atomic<int> done{0};
    std::mutex lock;
    std::set<std::thread::id> threads;
    std::vector<AsyncResult<void>> children;
    for (int i = 0; i < count; ++i) {
      children.push_back(pool.apply_async(local([&] {
        const std::lock_guard guard(lock);
        threads.insert(std::this_thread::get_id());
        ++done;
      })));
    }
    eventually([&] { return done == count; });  // this thread does none of them
    for (const auto& child : children) child.get();
    return threads.contains(std::this_thread::get_id()) ? 0U : threads.size();
  }));
  EXPECT_EQ(thieves, 1U);
}

TEST(WaitingTasks, end_when_their_pool_does) {
  AsyncResult<int> waiting;
  AsyncResult<int> child;
  {
    Pool pool = make_threads(2);
    std::atomic<bool> waits{false};
    waiting = pool.apply_async(local([&] {
      const auto own = pool.apply_async(until_stopped);
      child = own;
      waits = true;
      return own.get();
    }));
    eventually([&] { return waits.load() && pool.stats().running == 2; });
    pool.terminate();
  }
  EXPECT_THROW(waiting.get(), CancelledError);
  EXPECT_THROW(child.get(), CancelledError);
}

// Whoever has a result finds it noted and counted; and of a task that ends while it's
// cancelled one of the two is true, for everybody.
TEST(TasksThatEnd, have_ended_for_whoever_asks_in_any_way) {
  Pool pool = make_threads(2);
  constexpr std::size_t count = 20'000;
  std::size_t cancelled = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto result = pool.apply_async(local([i] { return i; }));
    if (i % 2 == 0) {
      ASSERT_EQ(result.get(), i);
      ASSERT_EQ(pool.poll(result.id()), JobState::done);
      ASSERT_EQ(pool.stats().done, i + 1 - cancelled);
    } else if (result.cancel()) {
      ++cancelled;
      ASSERT_EQ(pool.poll(result.id()), JobState::cancelled);
      ASSERT_THROW(result.get(), CancelledError);
    } else {
      ASSERT_EQ(pool.poll(result.id()), JobState::done);
      ASSERT_EQ(result.get(), i);
    }
  }
  pool.close();
  pool.join();
  EXPECT_EQ(pool.stats().done, count - cancelled);
}

// Each is cancelled at the moment at which it ends.
TEST(TasksThatEnd, are_done_or_cancelled_never_both) {
  Pool pool = make_threads(2);
  std::size_t done = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::atomic<bool> begun{false};
    const auto result = pool.apply_async(local([&] { begun = true; }));
    int looks = 0;  // it's seen at once, unless it has no core
    while (!begun && (++looks < 10'000 || (std::this_thread::yield(), true))) continue;
    if (result.cancel(Timeout())) {
      ASSERT_EQ(pool.poll(result.id()), JobState::cancelled);
      ASSERT_THROW(result.get(), CancelledError);
    } else {
      ASSERT_EQ(pool.poll(result.id()), JobState::done);
      ++done;
    }
  }
  pool.close();
  pool.join();
  EXPECT_EQ(pool.stats().done, done);
}

TEST(ManySubmitters, get_each_their_own_results) {
  Pool pool = make_threads(2);
  std::atomic<int> wrong{0};
  std::vector<std::thread> submitters;
  for (int thread = 0; thread < 8; ++thread) {
    submitters.emplace_back([&, thread] {
      std::vector<AsyncResult<int>> results;
      for (int i = 0; i < 2000; ++i) results.push_back(pool.apply_async(square, thread + i));
      for (int i = 0; i < 2000; ++i) {
        if (results[static_cast<std::size_t>(i)].get() != (thread + i) * (thread + i)) ++wrong;
      }
    });
  }
  for (auto& submitter : submitters) submitter.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(pool.stats().done, 16'000U);
}

TEST(ManySubmitters, may_close_the_pool_while_others_submit) {
  for (int round = 0; round < 20; ++round) {
    Pool pool = make_threads(2);
    std::vector<std::vector<AsyncResult<int>>> accepted(4);
    std::vector<std::thread> submitters;
    std::atomic<int> ready{0};
    for (auto& own : accepted) {
      submitters.emplace_back([&] {
        try {
          for (int i = 0;; ++i) {
            own.push_back(pool.apply_async(square, i % 100));
            if (i == 10) ++ready;
          }
        } catch (const ValueError&) {
        }
      });
    }
    eventually([&] { return ready == 4; });
    pool.close();
    pool.join();
    for (auto& submitter : submitters) submitter.join();
    for (const auto& own : accepted) {
      for (const auto& each : own) ASSERT_TRUE(each.ready());
    }
  }
}

TEST(ALongChunk, of_tiny_items_notices_that_it_is_cancelled) {
  Pool pool = make_threads(1);
  std::atomic<int> ran{0};
  std::atomic<bool> there{false};
  const auto map = pool.map_async({.chunksize = 1'000'000}, local([&](int i) {
                                    if (i == 1000) {
                                      there = true;
                                      until_stopped();
                                    }
                                    return ++ran;
                                  }),
                                  std::views::iota(0, 1'000'000));
  eventually([&] { return there.load(); });
  EXPECT_TRUE(map.cancel());
  EXPECT_THROW(map.get(), CancelledError);
  pool.close();
  pool.join();
  EXPECT_LT(ran, 100'000);
}

TEST(ALongChunk, of_tiny_items_knows_the_index_of_each) {
  Pool pool = make_threads(2);
  constexpr int count = 200'000;
  const auto same = pool.map([](int i) { return static_cast<int>(this_task::index()) == i; },
                             std::views::iota(0, count));
  EXPECT_EQ(std::count(same.begin(), same.end(), true), count);
  const auto squares = pool.map([](int i) { return i * 3; }, std::views::iota(0, count));
  for (int i = 0; i < count; ++i) ASSERT_EQ(squares[static_cast<std::size_t>(i)], 3 * i);
}

TEST(ALongChunk, of_tiny_items_loses_only_those_that_throw) {
  Pool pool = make_threads(2);
  const auto outcomes = pool.map_outcomes(
      [](int i) {
        if (i % 1000 == 7) throw std::out_of_range("seven");
        return i;
      },
      std::views::iota(0, 50'000));
  for (int i = 0; i < 50'000; ++i) {
    const auto& outcome = outcomes[static_cast<std::size_t>(i)];
    ASSERT_EQ(outcome.has_value(), i % 1000 != 7);
    if (!outcome.has_value()) continue;
    ASSERT_EQ(*outcome, i);
  }
}

// The item that was running then goes on, and its thread looks for the next.
TEST(AnArray, may_go_when_the_map_that_borrows_it_is_cancelled) {
  struct Seen {
    std::atomic<bool> there{false};
    std::atomic<bool> go_on{false};
    std::atomic<int> ran{0};
  };
  const auto seen = std::make_shared<Seen>();
  std::atomic<bool> cancelled{false};
  Pool pool = make_threads(1);
  std::thread mapper([&] {
    std::vector<int> items(100'000);
    std::iota(items.begin(), items.end(), 0);
    const auto f = [seen](int i) {
      if (i == 1000) {
        seen->there = true;
        eventually([&] { return seen->go_on.load(); });
      }
      return ++seen->ran;
    };
    try {
      pool.map({.chunksize = 100'000}, local(f), items);
    } catch (const CancelledError&) {
      cancelled = true;
    }
  });
  eventually([&] { return seen->there.load(); });
  pool.terminate();
  mapper.join();
  EXPECT_TRUE(cancelled);
  seen->go_on = true;
  eventually([&] { return seen.use_count() == 1; });  // its thread has let go of the map
  EXPECT_LT(seen->ran, 10'000);
}

TEST(AnArray, that_is_borrowed_stays_as_it_is) {
  Pool pool = make_threads(2);
  std::vector<std::array<int, 3>> items(20'000);
  for (std::size_t i = 0; i < items.size(); ++i) items[i] = {static_cast<int>(i), 1, 2};
  const auto before = items;
  const auto sums = pool.map([](std::array<int, 3> each) { return each[0] + each[1] + each[2]; },
                             std::as_const(items));
  for (std::size_t i = 0; i < items.size(); ++i) ASSERT_EQ(sums[i], static_cast<int>(i) + 3);
  EXPECT_EQ(items, before);
}

TEST(CallbacksOfThreads, run_in_the_order_in_which_results_were_there) {
  Pool pool = make_threads(2);
  std::vector<int> order;
  AsyncResult<int> before;
  for (int i = 0; i < 200; ++i) {
    const auto next = pool.apply_async({.callback = [&](int number) { order.push_back(number); }},
                                       local([before, i] {
                                         if (i != 0) before.wait();
                                         return i;
                                       }));
    before = next;
  }
  pool.close();
  pool.join();
  std::vector<int> expected(200);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(order, expected);
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
