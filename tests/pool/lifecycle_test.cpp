// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <atomic>
#include <map>
#include <utility>
#include <vector>

#include "pool/contexts.hpp"
#include "support/latch.hpp"

namespace brood::testing {
namespace {

int square(int x) { return x * x; }

class Lifecycle : public AllContexts {};
INSTANTIATE_TEST_SUITE_P(contexts, Lifecycle, every_context, name_of);

TEST_P(Lifecycle, close_and_join_finish_everything) {
  Pool pool = make_pool();
  std::vector<AsyncResult<int>> all;
  for (int i = 0; i < 500; ++i) all.push_back(pool.apply_async(square, i));
  EXPECT_THROW(pool.join(), ValueError);
  pool.close();
  pool.close();
  EXPECT_THROW(pool.apply_async(square, 1), ValueError);
  pool.join();
  pool.join();
  for (auto& result : all) EXPECT_TRUE(result.ready());
  EXPECT_EQ(pool.stats().done, 500u);
}

TEST_P(Lifecycle, leaving_the_scope_leaves_no_result_hanging) {
  AsyncResult<int> running;
  AsyncResult<int> queued;
  {
    Pool pool = make_pool(1);
    running = pool.apply_async([] {
      while (!this_task::stop_token().stop_requested()) ::usleep(1000);
      return 1;
    });
    for (int i = 0; i < 100; ++i) queued = pool.apply_async(square, i);
  }
  EXPECT_THROW(running.get(), CancelledError);
  EXPECT_THROW(queued.get(), CancelledError);
}

TEST_P(Lifecycle, a_pool_may_be_moved_and_resized) {
  Pool first = make_pool(1);
  Pool pool = std::move(first);
  EXPECT_THROW(first.apply(square, 1), ValueError);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(pool.apply(square, 3), 9);
  pool.resize(3);
  EXPECT_EQ(pool.map(square, {1, 2, 3, 4}), (std::vector{1, 4, 9, 16}));
  pool.resize(1);
  EXPECT_EQ(pool.apply(square, 3), 9);
  pool = make_pool(2);
  EXPECT_EQ(pool.apply(square, 5), 25);
}

TEST_P(Lifecycle, terminate_may_be_called_from_a_callback) {
  Pool pool = make_pool(1);
  Latch called;
  pool.apply_async({.callback =
                        [&](int) {
                          pool.terminate();
                          called.set(1);
                        }},
                   square, 2);
  EXPECT_EQ(called.wait(), 1);
  EXPECT_THROW(pool.apply(square, 1), ValueError);
}

// Atomic: of workers that are threads, another may still set it while one reads it.
std::atomic<int> weight_of_model{0};

TEST_P(Lifecycle, runs_an_initializer_in_every_worker) {
  weight_of_model = 0;
  PoolOptions with = options(2);
  with.initializer = task([](int weight) { weight_of_model = weight; }, 17);
  Pool pool(with);
  for (const int weight : pool.map([](int) { return weight_of_model.load(); }, {1, 2, 3, 4})) {
    EXPECT_EQ(weight, 17);
  }
}

class WorkerLife : public Processes {};
INSTANTIATE_TEST_SUITE_P(contexts, WorkerLife, every_process, name_of);

TEST_P(WorkerLife, ends_after_so_many_tasks) {
  PoolOptions few = options(2);
  few.maxtasksperchild = 5;
  Pool pool(few);
  std::map<int, int> tasks_of;
  std::vector<AsyncResult<int>> all;
  for (int i = 0; i < 100; ++i)
    all.push_back(pool.apply_async([] { return static_cast<int>(::getpid()); }));
  for (auto& result : all) ++tasks_of[result.get()];
  EXPECT_GE(tasks_of.size(), 20u);
  for (const auto& [pid, tasks] : tasks_of) EXPECT_LE(tasks, 5) << pid;
}

TEST_P(WorkerLife, keeps_what_a_worker_changes_to_itself) {
  static int touched = 0;
  Pool pool = make_pool(1);
  EXPECT_EQ(pool.apply([] { return ++touched; }), 1);
  EXPECT_EQ(pool.apply([] { return ++touched; }), 2);
  EXPECT_EQ(touched, 0);
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
