// SPDX-License-Identifier: MIT
//
// The end of a pool, in every order and from everywhere.
#include <sys/wait.h>

#include <atomic>
#include <future>
#include <memory>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "pool/facts.hpp"

namespace brood::testing {
namespace {

class Shutdown : public AllContexts {};
INSTANTIATE_TEST_SUITE_P(contexts, Shutdown, every_context, name_of);

// Nothing may be asked of a pool that takes no more tasks.
void expect_refusals(Pool& pool) {
  EXPECT_THROW(pool.apply(square, 1), ValueError);
  EXPECT_THROW(pool.apply_async(square, 1), ValueError);
  EXPECT_THROW(pool.map(square, {1, 2}), ValueError);
  EXPECT_THROW(pool.map(square, std::vector<int>{}), ValueError);
  EXPECT_THROW(pool.map_async(square, {1, 2}), ValueError);
  EXPECT_THROW(pool.map_outcomes(square, {1, 2}), ValueError);
  EXPECT_THROW(pool.starmap(std::plus<int>{}, std::vector{std::pair{1, 2}}), ValueError);
  EXPECT_THROW(pool.imap(square, {1, 2}), ValueError);
  EXPECT_THROW(pool.imap_unordered(square, {1, 2}), ValueError);
  EXPECT_THROW(pool.resize(3), ValueError);
}

TEST_P(Shutdown, takes_no_more_after_close) {
  Pool pool = make_pool();
  const auto before = pool.apply_async(square, 3);
  pool.close();
  expect_refusals(pool);
  EXPECT_EQ(before.get(), 9);
  EXPECT_EQ(pool.poll(before.id()), JobState::done);
  pool.join();
  expect_refusals(pool);
  EXPECT_EQ(pool.poll(before.id()), JobState::done);
  EXPECT_EQ(pool.stats().done, 1u);
  EXPECT_EQ(pool.stats().workers, 0u);
}

TEST_P(Shutdown, takes_no_more_after_terminate) {
  Pool pool = make_pool();
  const auto before = pool.apply_async(square, 3);
  before.wait();
  pool.terminate();
  expect_refusals(pool);
  EXPECT_EQ(before.get(), 9);
  EXPECT_EQ(pool.poll(before.id()), JobState::done);
  EXPECT_EQ(pool.stats().done, 1u);
  EXPECT_EQ(pool.stats().queued, 0u);
}

TEST_P(Shutdown, may_come_in_every_order) {
  const auto close = [](Pool& pool) { pool.close(); };
  const auto join = [](Pool& pool) { EXPECT_TRUE(pool.join()); };
  const auto terminate = [](Pool& pool) { pool.terminate(); };
  using Step = void (*)(Pool&);
  const std::vector<std::vector<Step>> orders{
      {},
      {close},
      {close, close, join, join},
      {close, terminate},
      {terminate, close, join},
      {terminate, terminate, join},
      {close, join, terminate, join, close},
  };
  for (const auto& order : orders) {
    Pool pool = make_pool();
    pool.map_async(square, {1, 2, 3});
    for (const Step step : order) step(pool);
  }
}

TEST_P(Shutdown, refuses_join_before_close_even_with_a_timeout) {
  Pool pool = make_pool();
  EXPECT_THROW(pool.join(), ValueError);
  EXPECT_THROW(pool.join(0s), ValueError);
  EXPECT_EQ(pool.apply(square, 2), 4);
}

TEST_P(Shutdown, join_tells_whether_it_was_in_time) {
  const Scratch scratch;
  Pool pool = make_pool();
  const auto slow = pool.apply_async(until_there, scratch.path("go"));
  pool.close();
  EXPECT_FALSE(pool.join(1ms));
  EXPECT_FALSE(pool.join(0s));
  EXPECT_FALSE(pool.join(-1h));
  EXPECT_FALSE(slow.ready());
  write_file(scratch.path("go"), "");
  EXPECT_TRUE(pool.join(std::chrono::hours(24 * 365 * 1000)));
  EXPECT_TRUE(pool.join(0s));
  EXPECT_EQ(slow.get(), 1);
}

TEST_P(Shutdown, terminate_ends_what_runs_and_what_waits) {
  Pool pool = make_pool();
  const auto busy = keep_busy(pool, 2);
  std::vector<AsyncResult<int>> queued;
  for (int i = 0; i < 10'000; ++i) queued.push_back(pool.apply_async(until_stopped));
  auto map = pool.map_async(square, std::vector<int>(1000));
  pool.terminate();
  for (const auto& each : busy) EXPECT_THROW(each.get(), CancelledError);
  for (const auto& each : queued) ASSERT_THROW(each.get(), CancelledError);
  EXPECT_THROW(map.get(), CancelledError);
  EXPECT_EQ(pool.poll(busy[0].id()), JobState::cancelled);
  EXPECT_TRUE(pool.join());
}

TEST_P(Shutdown, an_exception_that_leaves_the_scope_leaves_nothing_behind) {
  std::vector<AsyncResult<int>> all;
  try {
    Pool pool = make_pool();
    all = keep_busy(pool, 2);
    for (int i = 0; i < 50; ++i) all.push_back(pool.apply_async(square, i));
    throw std::domain_error("on its way");
  } catch (const std::domain_error&) {
  }
  for (const auto& each : all) {
    EXPECT_TRUE(each.ready());
    EXPECT_THROW(each.get(), CancelledError);
    EXPECT_FALSE(each.cancel());
  }
}

TEST_P(Shutdown, an_exception_in_the_middle_of_an_imap_does_so_too) {
  try {
    Pool pool = make_pool();
    for (const int r : pool.imap(square, std::views::iota(0))) {
      if (r == 100) throw std::domain_error("on its way");
    }
    FAIL();
  } catch (const std::domain_error&) {
  }
}

TEST_P(Shutdown, by_several_threads_at_once_is_one_end) {
  for (int round = 0; round < 5; ++round) {
    Pool pool = make_pool();
    std::vector<AsyncResult<int>> all;
    for (int i = 0; i < 200; ++i) all.push_back(pool.apply_async(square, i));
    std::vector<std::thread> enders;
    for (int i = 0; i < 2; ++i) {
      enders.emplace_back([&] { pool.terminate(); });
      enders.emplace_back([&] {
        pool.close();
        pool.join();
      });
    }
    for (auto& ender : enders) ender.join();
    for (const auto& each : all) EXPECT_TRUE(each.ready());
  }
}

TEST_P(Shutdown, frees_threads_that_wait_submit_and_read) {
  std::optional<Pool> pool(make_pool());
  std::atomic<int> begun{0};
  std::vector<std::thread> users;
  users.emplace_back([&] {
    const auto never = pool->apply_async(until_stopped);
    ++begun;
    EXPECT_THROW(never.get(), CancelledError);
  });
  users.emplace_back([&] {
    ++begun;
    EXPECT_THROW(for (;;) pool->apply(square, 2), Error);
  });
  users.emplace_back([&] {
    ++begun;
    EXPECT_THROW(for (const int r : pool->imap(square, std::views::iota(0))) EXPECT_GE(r, 0),
                 Error);
  });
  eventually([&] { return begun == 3; });
  pool->terminate();
  for (auto& user : users) user.join();
}

TEST_P(Shutdown, close_lets_a_callback_finish_before_join_returns) {
  const Scratch scratch;
  const Gate gate(scratch);
  Pool pool = make_pool();
  std::atomic<bool> finished{false};
  pool.apply_async({.callback =
                        [&](int) {
                          pass(gate.path());
                          finished = true;
                        }},
                   square, 1);
  pool.close();
  EXPECT_FALSE(pool.join(1ms));
  gate.open();
  EXPECT_TRUE(pool.join());
  EXPECT_TRUE(finished);
}

TEST_P(Shutdown, works_from_a_callback) {
  Pool pool = make_pool();
  std::promise<void> closed;
  pool.apply_async({.callback =
                        [&](int) {
                          pool.close();
                          EXPECT_TRUE(pool.join());
                          EXPECT_THROW(pool.apply(square, 1), ValueError);
                          closed.set_value();
                        }},
                   square, 1);
  closed.get_future().wait();
  EXPECT_TRUE(pool.join());
}

TEST_P(Shutdown, by_a_callback_that_destroys_the_pool_is_one_too) {
  auto pool = std::make_unique<Pool>(options());
  std::promise<void> gone;
  const auto never = pool->apply_async(until_stopped);
  pool->apply_async({.callback =
                         [&](int) {
                           pool.reset();
                           gone.set_value();
                         }},
                    square, 1);
  gone.get_future().wait();
  EXPECT_THROW(never.get(), CancelledError);
}

TEST_P(Shutdown, leaves_an_imap_that_is_being_read_to_its_end) {
  Pool pool = make_pool();
  auto results = pool.imap(square, std::views::iota(0, 3000));
  auto at = results.begin();
  pool.close();
  EXPECT_THROW(pool.imap(square, {1}), ValueError);
  int count = 0;
  for (; at != results.end(); ++at, ++count) ASSERT_EQ(*at, count * count);
  EXPECT_EQ(count, 3000);
  EXPECT_TRUE(pool.join());
}

TEST_P(Shutdown, does_not_hang_with_an_imap_that_nobody_reads) {
  Pool pool = make_pool();
  auto results = pool.imap(square, std::views::iota(0));
  EXPECT_EQ(results.next(), 0);
  pool.close();
  EXPECT_TRUE(pool.join());
  EXPECT_THROW(while (results.next()) continue, Error);
}

TEST_P(Shutdown, of_a_moved_from_pool_is_nothing) {
  Pool first = make_pool();
  const auto before = first.apply_async(square, 3);
  Pool second = std::move(first);
  // NOLINTBEGIN(bugprone-use-after-move)
  expect_refusals(first);
  EXPECT_THROW(first.close(), ValueError);
  EXPECT_THROW(first.join(), ValueError);
  EXPECT_THROW(first.stats(), ValueError);
  EXPECT_THROW(first.poll(before.id()), ValueError);
  first.terminate();
  // NOLINTEND(bugprone-use-after-move)
  EXPECT_EQ(before.get(), 9);
  EXPECT_EQ(second.poll(before.id()), JobState::done);
  first = std::move(second);
  EXPECT_EQ(first.apply(square, 2), 4);
}

TEST_P(Shutdown, of_the_pool_that_is_assigned_to_cancels_its_tasks) {
  Pool pool = make_pool();
  const auto busy = keep_busy(pool, 2);
  pool = make_pool();
  EXPECT_THROW(busy[0].get(), CancelledError);
  EXPECT_EQ(pool.apply(square, 2), 4);
}

// Destroyed after main, with work in it: the exit status of this test's process
// tells.
TEST_P(Shutdown, comes_after_main_for_a_pool_in_a_static_variable) {
  static Pool pool(options());
  static std::vector<AsyncResult<int>> kept;
  EXPECT_EQ(pool.apply(square, 2), 4);
  kept = keep_busy(pool, 2);
  for (int i = 0; i < 100; ++i) kept.push_back(pool.apply_async(square, i));
}

class ShutdownProcess : public Processes {};
INSTANTIATE_TEST_SUITE_P(contexts, ShutdownProcess, every_process, name_of);

TEST_P(ShutdownProcess, in_a_child_that_the_user_forks_is_the_parents_affair) {
  Pool pool = make_pool();
  const auto result = pool.apply_async(square, 3);
  const pid_t child = ::fork();
  if (child == 0) {
    int wrong = 0;
    try {
      pool.apply(square, 1);
      wrong = 1;
    } catch (const ContextError&) {
    }
    pool.terminate();
    {
      Pool dropped = std::move(pool);
    }
    ::_exit(wrong);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(result.get(), 9);
  EXPECT_EQ(pool.apply(square, 4), 16);
}

TEST_P(ShutdownProcess, ends_workers_that_do_not_listen) {
  std::vector<int> pids;
  std::vector<AsyncResult<int>> deaf;
  {
    Pool pool = make_pool();
    for (int i = 0; i < 2; ++i) {
      pids.push_back(pool.apply(own_pid));
      deaf.push_back(pool.apply_async(for_ever));
      eventually([&] { return pool.poll(deaf.back().id()) == JobState::running; });
    }
  }
  for (const int pid : pids) EXPECT_TRUE(is_gone(pid));
  for (const auto& each : deaf) EXPECT_THROW(each.get(), CancelledError);
}

TEST_P(ShutdownProcess, of_close_waits_for_what_crashes_meanwhile) {
  const Scratch scratch;
  Pool pool = make_pool();
  const auto crash = pool.apply_async(
      [](const std::string& path) {
        while (!std::filesystem::exists(path)) ::usleep(500);
        std::raise(SIGKILL);
      },
      scratch.path("go"));
  std::vector<AsyncResult<int>> behind;
  for (int i = 0; i < 20; ++i) behind.push_back(pool.apply_async(square, i));
  pool.close();
  EXPECT_FALSE(pool.join(1ms));
  write_file(scratch.path("go"), "");
  EXPECT_TRUE(pool.join());
  EXPECT_THROW(crash.get(), WorkerCrashed);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(behind[static_cast<std::size_t>(i)].get(), i * i);
}

TEST_P(ShutdownProcess, of_a_worker_whose_life_is_one_task_loses_none) {
  for (const int limit : {1, 2, 3}) {
    for (const int workers : {1, 2}) {
      PoolOptions few = options(workers);
      few.maxtasksperchild = limit;
      Pool pool(few);
      std::vector<AsyncResult<int>> all;
      for (int i = 0; i < 8; ++i) all.push_back(pool.apply_async(square, i));
      pool.close();
      pool.join();
      for (int i = 0; i < 8; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)].get(), i * i);
    }
  }
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
