// SPDX-License-Identifier: MIT
#include <array>
#include <chrono>
#include <coroutine>
#include <functional>
#include <future>
#include <limits>
#include <list>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "pool/facts.hpp"

// What an AsyncResult does, what wait and as_completed find, what comes after it.
namespace brood::testing {
namespace {

int fail(int x) { throw std::out_of_range("no " + std::to_string(x)); }
std::string text(int x) { return std::string(static_cast<std::size_t>(x), 'x'); }

class Handles : public AllContexts {};
INSTANTIATE_TEST_SUITE_P(contexts, Handles, every_context, name_of);

TEST_P(Handles, give_a_reference_from_an_lvalue_and_the_value_from_an_rvalue) {
  Pool pool = make_pool();
  AsyncResult<std::string> r = pool.apply_async(text, 3);
  static_assert(std::is_same_v<decltype(r.get()), const std::string&>);
  static_assert(std::is_same_v<decltype(std::move(r).get()), std::string>);
  EXPECT_EQ(r.get(), "xxx");
  EXPECT_EQ(&r.get(), &r.get(30s));
  EXPECT_TRUE(r.wait());
  EXPECT_TRUE(r.wait(0s));
  EXPECT_TRUE(r.ready());
  EXPECT_TRUE(r.successful());
  const std::string moved = std::move(r).get(30s);
  EXPECT_EQ(moved, "xxx");
  AsyncResult<std::unique_ptr<int>> box = pool.apply_async([] { return std::make_unique<int>(4); });
  EXPECT_EQ(*box.get(), 4);
  EXPECT_EQ(*std::move(box).get(), 4);
  AsyncResult<std::vector<int>> m = pool.map_async(square, {1, 2});
  EXPECT_EQ(m.get().at(1), 4);
  AsyncResult<void> nothing = pool.apply_async([] {});
  nothing.get();
  nothing.get(30s);
  std::move(nothing).get();
  AsyncResult<bool> yes = pool.apply_async([] { return true; });
  EXPECT_TRUE(yes.get());
}

TEST_P(Handles, throw_the_same_error_as_often_as_they_are_asked) {
  Pool pool = make_pool();
  const auto r = pool.apply_async(fail, 7);
  for (int i = 0; i < 3; ++i) {
    try {
      r.get();
      ADD_FAILURE();
    } catch (const std::out_of_range& e) {
      EXPECT_STREQ(e.what(), "no 7");
    }
  }
  EXPECT_TRUE(r.ready());
  EXPECT_FALSE(r.successful());
  EXPECT_FALSE(r.cancel());
  EXPECT_THROW(AsyncResult<int>(r).get(), std::out_of_range);
}

TEST_P(Handles, take_durations_of_every_kind) {
  Pool pool = make_pool();
  const auto busy = keep_busy(pool, 2);
  const auto r = pool.apply_async(square, 3);
  EXPECT_FALSE(r.wait(0s));
  EXPECT_FALSE(r.wait(-5s));
  EXPECT_FALSE(r.wait(1us));
  EXPECT_FALSE(r.wait(std::chrono::duration<float>(0.001f)));
  EXPECT_FALSE(r.wait(std::chrono::duration<double, std::nano>(0.5)));
  EXPECT_FALSE(r.wait(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN())));
  EXPECT_FALSE(r.wait(-std::chrono::hours::max()));
  EXPECT_THROW(r.get(std::chrono::milliseconds(1)), TimeoutError);
  EXPECT_THROW(AsyncResult<int>(r).get(0.001s), TimeoutError);
  for (const auto& each : busy) each.cancel();
  EXPECT_TRUE(r.wait(std::chrono::hours::max()));
  EXPECT_TRUE(r.wait(std::chrono::duration<double>(1e300)));
  EXPECT_TRUE(r.wait(std::chrono::duration<double>(std::numeric_limits<double>::infinity())));
  EXPECT_EQ(r.get(std::chrono::years(1'000'000)), 9);
}

TEST_P(Handles, say_no_before_they_are_ready_and_when_they_are_empty) {
  Pool pool = make_pool();
  const auto busy = keep_busy(pool, 2);
  const auto r = pool.apply_async(square, 3);
  EXPECT_FALSE(r.ready());
  EXPECT_THROW(r.successful(), ValueError);
  for (const auto& each : busy) each.cancel();
  AsyncResult<int> empty;
  EXPECT_THROW(empty.get(), ValueError);
  EXPECT_THROW(std::move(empty).get(), ValueError);
  EXPECT_THROW(empty.wait(1s), ValueError);
  EXPECT_THROW(empty.ready(), ValueError);
  EXPECT_THROW(empty.successful(), ValueError);
  EXPECT_THROW(empty.cancel(), ValueError);
  EXPECT_THROW(empty.id(), ValueError);
  EXPECT_THROW(wait(std::vector{r, empty}, 1s), ValueError);
  EXPECT_THROW(as_completed(std::vector{empty}), ValueError);
  AsyncResult<int> taken = r;
  const AsyncResult<int> moved = std::move(taken);
  EXPECT_THROW(taken.get(), ValueError);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(moved.get(), 9);
}

TEST_P(Handles, are_equal_and_hashed_by_their_outcome) {
  Pool pool = make_pool();
  const auto r = pool.apply_async(square, 3);
  const auto same = r;
  const auto other = pool.apply_async(square, 3);
  EXPECT_TRUE(r == same);
  EXPECT_TRUE(r != other);
  EXPECT_TRUE(AsyncResult<int>{} == AsyncResult<int>{});
  EXPECT_TRUE(r != AsyncResult<int>{});
  const std::unordered_set<AsyncResult<int>> set{r, same, other, AsyncResult<int>{}};
  EXPECT_EQ(set.size(), 3u);
  std::unordered_map<AsyncResult<int>, std::string> url_of;
  url_of[r] = "first";
  EXPECT_EQ(url_of.at(same), "first");
  const std::unordered_map<JobId, int> by_id{{r.id(), 1}, {other.id(), 2}};
  EXPECT_EQ(by_id.at(same.id()), 1);
  EXPECT_LT(r.id(), other.id());
}

TEST_P(Handles, are_polled_by_their_id_from_any_thread) {
  Pool pool = make_pool(1);
  const auto busy = keep_busy(pool, 1);
  const JobId id = busy[0].id();
  const auto queued = pool.apply_async(square, 1);
  const auto withdrawn = pool.apply_async(square, 2);
  std::jthread([&] {
    EXPECT_EQ(pool.poll(id), JobState::running);
    EXPECT_EQ(pool.poll(queued.id()), JobState::queued);
    EXPECT_TRUE(withdrawn.cancel());
    EXPECT_EQ(pool.poll(withdrawn.id()), JobState::cancelled);
  }).join();
  EXPECT_TRUE(busy[0].cancel());
  EXPECT_EQ(pool.poll(id), JobState::cancelled);
  EXPECT_EQ(queued.get(), 1);
  EXPECT_EQ(pool.poll(queued.id()), JobState::done);
  const auto failed = pool.apply_async(fail, 1);
  failed.wait();
  EXPECT_EQ(pool.poll(failed.id()), JobState::failed);
  EXPECT_EQ(pool.poll(JobId{}), JobState::unknown);
  Pool other = make_pool(1);
  EXPECT_EQ(other.poll(JobId{queued.id().number + 1'000'000}), JobState::unknown);
}

TEST_P(Handles, outlive_the_pool_and_never_hang) {
  AsyncResult<int> done;
  AsyncResult<int> running;
  AsyncResult<int> queued;
  AsyncResult<std::vector<int>> map;
  {
    Pool pool = make_pool(1);
    done = pool.apply_async(square, 3);
    done.wait();
    running = keep_busy(pool, 1)[0];
    queued = pool.apply_async(square, 4);
    map = pool.map_async(square, {1, 2, 3});
  }
  EXPECT_EQ(done.get(), 9);
  EXPECT_THROW(running.get(), CancelledError);
  EXPECT_THROW(queued.get(), CancelledError);
  EXPECT_THROW(map.get(), CancelledError);
  EXPECT_TRUE(queued.ready());
  EXPECT_FALSE(queued.successful());
  EXPECT_FALSE(queued.cancel());
  const auto [ready, not_ready] = wait(std::vector{done, running, queued}, 30s);
  EXPECT_EQ(ready.size(), 3u);
  EXPECT_TRUE(not_ready.empty());
}

class Waiting : public AllContexts {};
INSTANTIATE_TEST_SUITE_P(contexts, Waiting, every_context, name_of);

TEST_P(Waiting, splits_the_done_from_the_others) {
  Pool pool = make_pool();
  const auto busy = keep_busy(pool, 1);
  const auto soon = pool.apply_async(square, 3);
  std::vector<AsyncResult<int>> results{busy[0], soon, soon};
  {
    auto [done, not_done] = wait(results, 30s, ReturnWhen::first_completed);
    ASSERT_EQ(done.size(), 1u);
    EXPECT_EQ(done[0].get(), 9);
    EXPECT_EQ(not_done, std::vector{busy[0]});
  }
  auto [done, not_done] = wait(results, std::chrono::duration<double>(0.001));
  EXPECT_EQ(done.size(), 1u);
  EXPECT_EQ(not_done.size(), 1u);
  EXPECT_EQ(wait(std::list(results.begin(), results.end()), 0s).done.size(), 1u);
  EXPECT_TRUE(wait(std::vector<AsyncResult<int>>{}).done.empty());
  EXPECT_EQ(wait({soon, soon}, 30s).done.size(), 1u);
  EXPECT_EQ(wait(std::array{soon}, 30s, ReturnWhen::all_completed).done.size(), 1u);
  busy[0].cancel();
  EXPECT_EQ(wait(results).done.size(), 2u);
  EXPECT_TRUE(wait(results).not_done.empty());
}

TEST_P(Waiting, returns_at_the_first_exception_and_cancelling_is_none) {
  Pool pool = make_pool();
  const auto busy = keep_busy(pool, 1);
  const auto bad = pool.apply_async(fail, 3);
  const std::vector results{busy[0], bad};
  EXPECT_EQ(wait(results, 30s, ReturnWhen::first_exception).done, std::vector{bad});
  EXPECT_EQ(wait(results, 30s, ReturnWhen::first_exception).not_done, std::vector{busy[0]});
  const auto withdrawn = keep_busy(pool, 1)[0];
  withdrawn.cancel();
  EXPECT_EQ(wait(std::vector{withdrawn, busy[0]}, 1ms, ReturnWhen::first_exception).not_done.size(),
            1u);
  busy[0].cancel();
  EXPECT_EQ(wait(std::vector{withdrawn, busy[0]}, 30s, ReturnWhen::first_exception).done.size(),
            2u);
}

TEST_P(Waiting, for_a_hundred_that_end_together_loses_none) {
  Pool pool = make_pool();
  std::vector<AsyncResult<int>> results;
  for (int i = 0; i < 100; ++i) results.push_back(pool.apply_async(square, i));
  EXPECT_EQ(wait(results).done.size(), 100u);
  EXPECT_EQ(wait(results).done, results);
}

TEST_P(Waiting, one_by_one_gives_each_as_it_ends) {
  Pool pool = make_pool();
  std::vector<AsyncResult<int>> results;
  for (int i = 0; i < 20; ++i) results.push_back(pool.apply_async(square, i));
  std::set<int> values;
  for (auto& r : as_completed(results)) values.insert(r.get());
  EXPECT_EQ(values.size(), 20u);
  for (const auto& r : as_completed(results, 30s)) values.erase(r.get());
  EXPECT_TRUE(values.empty());
  for (auto r : as_completed(std::vector<AsyncResult<int>>{})) ADD_FAILURE() << r.get();
  int seen = 0;
  for (auto& r : as_completed({results[0], results[1], results[1]})) seen += r.get() >= 0;
  EXPECT_EQ(seen, 2);
  const auto busy = keep_busy(pool, 2);
  seen = 0;
  try {
    for (auto& r : as_completed(std::vector{busy[0], results[4], busy[1], results[5]}, 1ms)) {
      EXPECT_TRUE(r.ready());
      ++seen;
    }
    ADD_FAILURE();
  } catch (const TimeoutError& e) {
    EXPECT_NE(std::string(e.what()).find("2 (of 4)"), std::string::npos) << e.what();
  }
  EXPECT_EQ(seen, 2);
  for (const auto& each : busy) each.cancel();
}

TEST_P(Waiting, holds_over_several_pools_and_cancelled_ones) {
  Pool left = make_pool(1);
  Pool right = make_pool(1);
  const std::vector results{left.apply_async(square, 2), right.apply_async(square, 3),
                            keep_busy(left, 1)[0]};
  results[2].cancel();
  int errors = 0;
  for (auto& r : as_completed(results)) errors += r.successful() ? 0 : 1;
  EXPECT_EQ(errors, 1);
}

// A coroutine whose value can be waited for.
template <typename T>
struct Later {
  struct promise_type {
    std::promise<T> promise;
    Later get_return_object() { return {promise.get_future()}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_value(T value) { promise.set_value(std::move(value)); }
    void unhandled_exception() { promise.set_exception(std::current_exception()); }
  };
  std::future<T> future;
};

Later<int> sum_of(Pool& pool) {
  AsyncResult<int> r = pool.apply_async(square, 2);
  int x = co_await r;
  x += co_await r;
  x += co_await pool.apply_async(square, 3);
  co_await pool.apply_async([] {});
  const std::vector numbers{1, 2};  // not in braces below: GCC 12 has no room for a list there
  x += static_cast<int>((co_await pool.map_async(square, numbers)).size());
  auto box = co_await pool.apply_async([] { return std::make_unique<int>(100); });
  co_return x + *box;
}

Later<std::string> caught(Pool& pool) {
  try {
    co_await pool.apply_async(fail, 9);
  } catch (const std::out_of_range& e) {
    co_return e.what();
  }
  co_return "";
}

Later<int> cancelled(AsyncResult<int> r) { co_return co_await r; }

TEST_P(Waiting, is_co_await_in_any_coroutine) {
  Pool pool = make_pool();
  EXPECT_EQ(sum_of(pool).future.get(), 4 + 4 + 9 + 2 + 100);
  EXPECT_EQ(caught(pool).future.get(), "no 9");
  const auto busy = keep_busy(pool, 1);
  auto later = cancelled(busy[0]);
  busy[0].cancel();
  EXPECT_THROW(later.future.get(), CancelledError);
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
