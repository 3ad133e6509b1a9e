// SPDX-License-Identifier: MIT
#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "pool/facts.hpp"

// What is called when a result is there, and what it may do.
namespace brood::testing {
namespace {

int fail(int x) { throw std::out_of_range("no " + std::to_string(x)); }

class Callbacks : public AllContexts {};
INSTANTIATE_TEST_SUITE_P(contexts, Callbacks, every_context, name_of);

TEST_P(Callbacks, run_after_the_result_on_one_thread_in_order_of_completion) {
  Pool pool = make_pool(1);
  std::set<std::thread::id> threads;
  std::vector<int> order;
  for (int i = 0; i < 20; ++i) {
    pool.apply_async(
        {.callback =
             [&](int v) {
               threads.insert(std::this_thread::get_id());
               order.push_back(v);
             }},
        [](int x) { return x; }, i);
  }
  pool.close();
  pool.join();
  EXPECT_EQ(threads.size(), 1u);
  EXPECT_FALSE(threads.contains(std::this_thread::get_id()));
  std::vector<int> wanted(20);
  for (std::size_t i = 0; i < 20; ++i) wanted[i] = static_cast<int>(i);
  EXPECT_EQ(order, wanted);
}

TEST_P(Callbacks, of_a_map_come_once_with_all_or_with_the_error) {
  Pool pool = make_pool();
  std::promise<std::vector<int>> all;
  std::promise<void> empty;
  std::promise<void> void_map;
  std::promise<std::exception_ptr> error;
  pool.map_async({.chunksize = 2, .callback = [&](auto v) { all.set_value(v); }}, square,
                 {1, 2, 3});
  pool.map_async({.callback =
                      [&](const std::vector<int>& v) {
                        EXPECT_TRUE(v.empty());
                        empty.set_value();
                      }},
                 square, {});
  pool.map_async({.callback = [&] { void_map.set_value(); }}, [](int) {}, {1, 2});
  pool.starmap_async({.callback = [](auto) { ADD_FAILURE(); },
                      .error_callback = [&](std::exception_ptr e) { error.set_value(e); }},
                     [](int a, int b) -> int { throw std::domain_error(std::to_string(a + b)); },
                     {{1, 2}, {3, 4}});
  EXPECT_EQ(all.get_future().get(), (std::vector{1, 4, 9}));
  empty.get_future().get();
  void_map.get_future().get();
  EXPECT_THROW(std::rethrow_exception(error.get_future().get()), std::domain_error);
}

TEST_P(Callbacks, that_throw_submit_or_ask_harm_nothing) {
  Pool pool = make_pool(1);
  std::promise<int> chained;
  AsyncResult<int> thrown =
      pool.apply_async({.callback = [](int) { throw std::runtime_error("mine"); }}, square, 2);
  AsyncResult<int> odd = pool.apply_async({.callback = [](int) { throw 42; }}, square, 3);
  AsyncResult<int> both = pool.apply_async(
      {.error_callback = [](std::exception_ptr e) { std::rethrow_exception(e); }}, fail, 1);
  pool.apply_async({.callback =
                        [&](int v) {
                          EXPECT_EQ(thrown.get(), 4);
                          const int waited = pool.apply(square, v);
                          pool.apply_async({.callback = [&](int w) { chained.set_value(w); }},
                                           square, waited);
                        }},
                   square, 2);
  EXPECT_EQ(chained.get_future().get(), 256 * 1);
  EXPECT_EQ(thrown.get(), 4);
  EXPECT_EQ(odd.get(), 9);
  EXPECT_THROW(both.get(), std::out_of_range);
  EXPECT_EQ(pool.apply(square, 5), 25);
  pool.close();
  EXPECT_TRUE(pool.join(30s));
}

TEST_P(Callbacks, that_terminate_end_the_pool_and_drop_what_is_pending) {
  auto pool = std::make_unique<Pool>(options(1));
  std::promise<void> submitted;
  std::promise<void> ended;
  int later = 0;
  pool->apply_async({.callback =
                         [&](int) {
                           submitted.get_future().get();
                           pool->terminate();
                           ended.set_value();
                         }},
                    square, 1);
  const auto rest = pool->apply_async({.callback = [&](int) { ++later; }}, until_stopped);
  submitted.set_value();
  ended.get_future().get();
  EXPECT_THROW(rest.get(), CancelledError);
  EXPECT_THROW(pool->apply_async(square, 1), ValueError);
  EXPECT_TRUE(pool->join(30s));
  pool.reset();
  EXPECT_EQ(later, 0);
}

bool can_be_made(const PoolOptions& options) {
  try {
    return Pool(options).apply(square, 5) == 25;
  } catch (const ContextError&) {
    return false;
  }
}

class CallbacksBesideAFork : public Processes {};
INSTANTIATE_TEST_SUITE_P(contexts, CallbacksBesideAFork, every_process, name_of);

// The copy would keep for ever what the callback has locked, malloc's lock above all.
TEST_P(CallbacksBesideAFork, have_it_refused_while_they_last) {
  const PoolOptions copies{.processes = 1, .context = Context::fork};
  Pool pool = make_pool(1);
  std::promise<void> begun;
  std::promise<void> may_end;
  pool.apply_async({.callback =
                        [&](int) {
                          begun.set_value();
                          may_end.get_future().wait();
                        }},
                   square, 1);
  begun.get_future().wait();
  try {
    const Pool copy(copies);
    ADD_FAILURE() << "it was copied";
  } catch (const ContextError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("brood-callback"));
  }
  may_end.set_value();
  // From some instant after it the thread is idle.
  eventually([&] { return can_be_made(copies); });
}

TEST_P(CallbacksBesideAFork, let_it_come_between_two_of_them) {
  const PoolOptions copies{.processes = 1, .context = Context::fork};
  Pool pool = make_pool(1);
  std::atomic<bool> over{false};
  // Each is short, and there's always a next one.
  std::function<void(int)> again = [&](int) {
    if (!over.load()) pool.apply_async({.callback = again}, square, 1);
  };
  for (int i = 0; i < 20; ++i) again(0);
  for (int i = 0; i < 5; ++i) eventually([&] { return can_be_made(copies); });
  over = true;
  pool.close();
  EXPECT_TRUE(pool.join(30s));
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
