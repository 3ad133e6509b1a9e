// SPDX-License-Identifier: MIT
//
// Handles and threads that outlive their pool: what a handle gives stays, what the pool
// held goes with it, and whoever is just asking gets an answer.
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "pool/facts.hpp"
#include "support/census.hpp"

namespace brood::testing {
namespace {

class Visits : public AllContexts {
 protected:
  using Asks = std::vector<std::function<void()>>;

  // Again and again: a pool is destroyed when a thread for each of what `asks_of` says of it
  // has begun to ask.
  void end_pools_while_asked(const std::function<Asks(Pool&)>& asks_of) {
    const int rounds = GetParam() == Context::thread ? 100 : 8;
    for (int round = 0; round < rounds; ++round) {
      std::atomic<std::size_t> asking{0};
      std::vector<std::jthread> askers;
      Pool pool = make_pool();
      const Asks asks = asks_of(pool);
      for (const auto& ask : asks) {
        askers.emplace_back([&asking, ask] {
          ++asking;
          ask();
        });
      }
      eventually([&] { return asking == asks.size(); });
    }
  }
};
INSTANTIATE_TEST_SUITE_P(contexts, Visits, every_context, name_of);

// What a handle is asked while its pool ends. Each returns when the job has settled.
void ask_by_get(const AsyncResult<int>& result) {
  try {
    EXPECT_EQ(result.get(), 1);
  } catch (const CancelledError&) {
  }
}
void ask_by_looking(const AsyncResult<int>& result) {
  while (!result.ready()) std::this_thread::yield();
}
void ask_with_short_patience(const AsyncResult<int>& result) {
  while (!result.wait(50us)) {
  }
}
void ask_for_first(const AsyncResult<int>& result) {
  wait(std::vector{result}, {}, ReturnWhen::first_completed);
}
void ask_by_cancelling(const AsyncResult<int>& result) {
  result.cancel();
  EXPECT_TRUE(result.wait());
}

TEST_P(Visits, in_all_ways_end_when_the_pool_is_destroyed) {
  end_pools_while_asked([](Pool& pool) {
    Asks asks;
    for (const auto ask : {&ask_by_get, &ask_by_looking, &ask_with_short_patience, &ask_for_first,
                           &ask_by_cancelling, &ask_by_get}) {
      asks.emplace_back([ask, result = pool.apply_async(until_stopped)] {
        ask(result);
        EXPECT_TRUE(result.ready());
      });
    }
    return asks;
  });
}

TEST_P(Visits, of_one_job_by_many_threads_end_with_its_pool) {
  end_pools_while_asked([](Pool& pool) {
    return Asks(6, [result = pool.apply_async(until_stopped)] { ask_by_get(result); });
  });
}

TEST_P(Visits, are_over_before_the_result_is_there) {
  Pool pool = make_pool();
  for (int i = 0; i < 2000; ++i) {
    const auto result = pool.apply_async(square, i);
    result.wait(Timeout(1us));
    EXPECT_EQ(result.get(), i * i);
  }
}

TEST_P(Visits, are_not_needed_for_what_is_ready) {
  const Census before = Census::take();
  AsyncResult<int> done;
  AsyncResult<std::vector<int>> map;
  AsyncResult<int> cancelled;
  {
    Pool pool = make_pool();
    done = pool.apply_async(square, 3);
    map = pool.map_async(square, {1, 2, 3});
    EXPECT_TRUE(map.wait());
    EXPECT_TRUE(done.wait());
    cancelled = pool.apply_async(until_stopped);
  }
  // The handles keep nothing of the pool: no process, descriptor or mapping.
  EXPECT_EQ(Census::take().more_than(before), "");
  EXPECT_EQ(done.get(), 9);
  EXPECT_EQ(map.get(), (std::vector{1, 4, 9}));
  EXPECT_FALSE(cancelled.cancel());
  EXPECT_THROW(cancelled.get(), CancelledError);
}

TEST(VisitsOfThreads, keep_the_pools_options_no_longer_than_the_pool) {
  const auto token = std::make_shared<int>(7);
  AsyncResult<int> result;
  {
    Pool pool({.processes = 2,
               .initializer = local([token] { EXPECT_EQ(*token, 7); }),
               .context = Context::thread});
    result = pool.apply_async(square, 2);
    result.wait();
    EXPECT_GT(token.use_count(), 1);
  }
  EXPECT_EQ(result.get(), 4);
  // The pool's threads go last, each when it has noticed.
  eventually([&] { return token.use_count() == 1; });
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
