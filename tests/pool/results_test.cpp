// SPDX-License-Identifier: MIT
#include <atomic>
#include <coroutine>
#include <forward_list>
#include <map>
#include <numeric>
#include <ranges>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <unordered_set>

#include <unistd.h>

#include "pool/contexts.hpp"
#include "support/latch.hpp"

namespace brood::testing {
namespace {

int square(int x) { return x * x; }
std::string up(const std::string& text) { return text + "!"; }

class Maps : public AllContexts {};
INSTANTIATE_TEST_SUITE_P(contexts, Maps, every_context, name_of);

TEST_P(Maps, keep_the_order_of_the_input) {
  Pool pool = make_pool(4);
  EXPECT_EQ(pool.map(square, {0, 1, 2, 3, 4, 5}), (std::vector{0, 1, 4, 9, 16, 25}));
  std::vector<int> many(10'000);
  std::iota(many.begin(), many.end(), 0);
  const auto squares = pool.map(square, many);
  for (std::size_t i = 0; i < many.size(); ++i) ASSERT_EQ(squares[i], square(many[i]));
}

TEST_P(Maps, take_any_range_and_a_chunk_size_last) {
  Pool pool = make_pool();
  EXPECT_EQ(pool.map(square, std::forward_list<int>{1, 2, 3}), (std::vector{1, 4, 9}));
  EXPECT_EQ(pool.map(square, std::views::iota(1, 4)), (std::vector{1, 4, 9}));
  const int array[] = {1, 2, 3};
  EXPECT_EQ(pool.map(square, array, 2), (std::vector{1, 4, 9}));
  std::istringstream numbers("1 2 3");
  EXPECT_EQ(pool.map(square, std::views::istream<int>(numbers)), (std::vector{1, 4, 9}));
  EXPECT_EQ(pool.map({.chunksize = 2}, square, std::vector{1, 2, 3}), (std::vector{1, 4, 9}));
}

TEST_P(Maps, type_braced_lists_by_the_functions_parameter) {
  Pool pool = make_pool();
  EXPECT_EQ(pool.map(up, {"a", "bb"}), (std::vector<std::string>{"a!", "bb!"}));
  EXPECT_EQ(pool.map(up, {}), std::vector<std::string>{});
  const auto describe = [](const std::tuple<int, double, std::string>& t) {
    return std::get<2>(t) + std::to_string(std::get<0>(t));
  };
  EXPECT_EQ(pool.map(describe, {{1, 2.0, "x"}}), std::vector<std::string>{"x1"});
}

TEST_P(Maps, of_nothing_give_nothing_and_call_back) {
  Pool pool = make_pool();
  EXPECT_TRUE(pool.map(square, std::vector<int>{}).empty());
  std::atomic<int> calls{0};
  auto empty = pool.map_async(
      {.callback = [&](const auto& all) { calls += 1 + static_cast<int>(all.size()); }}, square,
      std::vector<int>{});
  EXPECT_TRUE(empty.get().empty());
  pool.close();
  pool.join();
  EXPECT_EQ(calls, 1);
}

TEST_P(Maps, unpack_tuples_and_pairs_with_starmap) {
  Pool pool = make_pool();
  const auto power = [](int base, double factor) { return base * factor; };
  EXPECT_EQ(pool.starmap(power, std::vector{std::tuple{1, 2.0}, std::tuple{3, 4.0}}),
            (std::vector{2.0, 12.0}));
  EXPECT_EQ(pool.starmap(power, std::map<int, double>{{2, 0.5}, {4, 0.25}}),
            (std::vector{1.0, 1.0}));
  EXPECT_EQ(pool.starmap(power, {{1, 2.0}, {3, 4.0}}), (std::vector{2.0, 12.0}));
  EXPECT_EQ(pool.starmap_async(power, std::vector{std::pair{2, 2.0}}).get(), std::vector{4.0});
}

TEST_P(Maps, of_void_functions_return_nothing) {
  Pool pool = make_pool();
  static_assert(std::is_void_v<decltype(pool.map([](int) {}, {1, 2}))>);
  pool.map([](int) {}, {1, 2});
  AsyncResult<void> done = pool.map_async([](int) {}, {1, 2});
  done.get();
}

TEST_P(Maps, throw_the_first_failing_items_error_in_the_order_of_the_input) {
  Pool pool = make_pool(3);
  const auto fails = [](int i) {
    if (i >= 20 && i % 10 == 7) throw std::out_of_range(std::to_string(i));
    return i;
  };
  std::vector<int> items(100);
  std::iota(items.begin(), items.end(), 0);
  try {
    pool.map(fails, items);
    FAIL();
  } catch (const std::out_of_range& error) {
    EXPECT_STREQ(error.what(), "27");
  }
}

TEST_P(Maps, give_an_outcome_of_each_item_when_asked) {
  Pool pool = make_pool();
  const auto outcomes = pool.map_outcomes(
      [](int i) {
        if (i == 2) throw std::logic_error("two");
        return std::to_string(i);
      },
      {1, 2, 3});
  EXPECT_EQ(outcomes[0].value(), "1");
  EXPECT_THROW(outcomes[1].value(), std::logic_error);
  EXPECT_EQ(*outcomes[2], "3");
}

TEST_P(Maps, refuse_sizes_that_make_no_sense) {
  Pool pool = make_pool();
  EXPECT_THROW(pool.map(square, {1}, 0), ValueError);
  EXPECT_THROW(pool.map(square, {1}, -3), ValueError);
  EXPECT_THROW(Pool(options(0)), ValueError);
  EXPECT_THROW(Pool(options(-1)), ValueError);
  EXPECT_THROW(pool.resize(0), ValueError);
}

TEST_P(Maps, pass_on_what_the_range_throws) {
  Pool pool = make_pool();
  const auto third_throws = std::views::iota(0, 10) | std::views::transform([](int i) {
                              if (i == 3) throw std::domain_error("third");
                              return i;
                            });
  EXPECT_THROW(pool.map(square, third_throws), std::domain_error);
  EXPECT_EQ(pool.apply(square, 2), 4);
}

TEST_P(Maps, give_large_results_whole) {
  Pool pool = make_pool();
  const auto texts = pool.map([](int i) { return std::string(static_cast<std::size_t>(i), 'x'); },
                              {0, 10, 100'000, 5, 2'000'000, 1});
  EXPECT_EQ(texts[2].size(), 100'000u);
  EXPECT_EQ(texts[4].size(), 2'000'000u);
  EXPECT_EQ(texts[5], "x");
}

class LazyMaps : public AllContexts {};
INSTANTIATE_TEST_SUITE_P(contexts, LazyMaps, every_context, name_of);

TEST_P(LazyMaps, give_results_in_order_or_as_they_come) {
  Pool pool = make_pool();
  std::vector<int> seen;
  for (int r : pool.imap(square, std::views::iota(0, 500))) seen.push_back(r);
  ASSERT_EQ(seen.size(), 500u);
  for (int i = 0; i < 500; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)], i * i);
  std::multiset<int> any;
  for (int r : pool.imap_unordered(square, {1, 2, 3})) any.insert(r);
  EXPECT_EQ(any, (std::multiset<int>{1, 4, 9}));
}

TEST_P(LazyMaps, read_an_endless_input_a_bounded_way_ahead) {
  Pool pool = make_pool();
  long read = 0;
  auto endless = std::views::iota(0) | std::views::transform([&](int i) {
                   ++read;
                   return i;
                 });
  int last = 0;
  for (int r : pool.imap(square, endless)) {
    last = r;
    if (r >= 1'000'000) break;
  }
  EXPECT_EQ(last, 1'000'000);
  EXPECT_LE(read, 1'001 + 20'000);
}

TEST_P(LazyMaps, throw_at_the_failed_item_and_go_on) {
  Pool pool = make_pool();
  auto results = pool.imap(
      [](int i) {
        if (i == 1) throw std::logic_error("one");
        return i;
      },
      {0, 1, 2});
  auto it = results.begin();
  EXPECT_EQ(*it, 0);
  ++it;
  EXPECT_THROW(*it, std::logic_error);
  ++it;
  EXPECT_EQ(*it, 2);
  ++it;
  EXPECT_TRUE(it == results.end());
}

TEST_P(LazyMaps, end_with_what_the_input_throws) {
  Pool pool = make_pool();
  auto results = pool.imap(square, std::views::iota(0, 10) | std::views::transform([](int i) {
                                     if (i == 2) throw std::domain_error("input");
                                     return i;
                                   }));
  auto it = results.begin();
  EXPECT_EQ(*it, 0);
  EXPECT_EQ(*++it, 1);
  ++it;
  EXPECT_THROW(*it, std::domain_error);
  ++it;
  EXPECT_TRUE(it == results.end());
}

TEST_P(LazyMaps, over_nothing_end_at_once) {
  Pool pool = make_pool();
  auto results = pool.imap(square, std::vector<int>{});
  EXPECT_TRUE(results.begin() == results.end());
}

class Results : public AllContexts {};
INSTANTIATE_TEST_SUITE_P(contexts, Results, every_context, name_of);

TEST_P(Results, are_cheap_copyable_handles_on_one_outcome) {
  Pool pool = make_pool();
  AsyncResult<int> first = pool.apply_async(square, 3);
  const AsyncResult<int> second = first;
  EXPECT_TRUE(first == second);
  EXPECT_EQ(std::unordered_set({first, second}).size(), 1u);
  EXPECT_EQ(first.get(), 9);
  EXPECT_EQ(&first.get(), &second.get());
  EXPECT_TRUE(second.ready());
  EXPECT_TRUE(second.successful());
}

TEST_P(Results, that_are_empty_say_so) {
  AsyncResult<int> empty;
  EXPECT_THROW(empty.get(), ValueError);
  EXPECT_THROW(empty.ready(), ValueError);
  EXPECT_THROW(empty.id(), ValueError);
}

TEST_P(Results, time_out_while_the_task_goes_on) {
  Pool pool = make_pool();
  auto slow = pool.apply_async([] {
    while (!this_task::stop_token().stop_requested()) ::usleep(1000);
    return 1;
  });
  EXPECT_THROW(slow.get(1ms), TimeoutError);
  EXPECT_FALSE(slow.wait(1ms));
  EXPECT_FALSE(slow.wait(-5s));
  EXPECT_THROW(slow.successful(), ValueError);
  EXPECT_TRUE(slow.cancel(20s));
  EXPECT_FALSE(slow.cancel());
  EXPECT_THROW(slow.get(), CancelledError);
  EXPECT_EQ(pool.poll(slow.id()), JobState::cancelled);
  EXPECT_EQ(pool.apply(square, 2), 4);
}

TEST_P(Results, are_polled_by_id) {
  Pool pool = make_pool();
  auto good = pool.apply_async(square, 3);
  auto bad = pool.apply_async([] { throw std::logic_error("no"); });
  good.wait();
  bad.wait();
  EXPECT_EQ(pool.poll(good.id()), JobState::done);
  EXPECT_EQ(pool.poll(bad.id()), JobState::failed);
  EXPECT_EQ(pool.poll(JobId{}), JobState::unknown);
  Pool other = make_pool(1);
  EXPECT_EQ(other.poll(good.id()), JobState::unknown);
}

TEST_P(Results, call_back_with_the_value_or_the_error) {
  Pool pool = make_pool();
  std::atomic<int> value{0};
  std::atomic<int> errors{0};
  pool.apply_async({.callback = [&](auto v) { value += v; }}, square, 6);
  pool.apply_async({.callback = [](auto) { throw std::runtime_error("harmless"); }}, square, 1);
  pool.apply_async({.error_callback =
                        [&](std::exception_ptr error) {
                          try {
                            std::rethrow_exception(error);
                          } catch (const std::logic_error&) {
                            ++errors;
                          }
                        }},
                   [] { throw std::logic_error("x"); });
  pool.map_async(
      {.callback = [&](const std::vector<int>& all) { value += static_cast<int>(all.size()); }},
      square, {1, 2, 3});
  pool.close();
  EXPECT_TRUE(pool.join(60s));
  EXPECT_EQ(value, 39);
  EXPECT_EQ(errors, 1);
}

TEST_P(Results, are_waited_for_together) {
  Pool pool = make_pool();
  std::vector<AsyncResult<int>> all;
  for (int i = 0; i < 100; ++i) all.push_back(pool.apply_async(square, i));
  const auto found = wait(all);
  EXPECT_EQ(found.done.size(), 100u);
  EXPECT_TRUE(found.not_done.empty());
  std::multiset<int> seen;
  for (auto& result : as_completed(all)) seen.insert(result.get());
  EXPECT_EQ(seen.size(), 100u);
}

TEST_P(Results, first_completed_is_enough_when_asked) {
  Pool pool = make_pool();
  auto never = pool.apply_async([] {
    while (!this_task::stop_token().stop_requested()) ::usleep(1000);
    return 0;
  });
  auto soon = pool.apply_async(square, 4);
  const auto found = wait(std::vector{never, soon}, Timeout{}, ReturnWhen::first_completed);
  ASSERT_EQ(found.done.size(), 1u);
  EXPECT_TRUE(found.done[0] == soon);
  EXPECT_TRUE(found.not_done[0] == never);
  auto completed = as_completed(std::vector{never, soon}, 10ms);
  auto it = completed.begin();
  EXPECT_TRUE(*it == soon);
  EXPECT_THROW(++it, TimeoutError);
  never.cancel();
}

struct Task {
  struct promise_type {
    Task get_return_object() { return {}; }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

Task add(AsyncResult<int> left, AsyncResult<int> right, Latch& sum) {
  const int a = co_await left;
  const int b = co_await std::move(right);
  sum.set(a + b);
}

TEST_P(Results, are_awaited_by_coroutines) {
  Pool pool = make_pool();
  Latch sum;
  add(pool.apply_async(square, 3), pool.apply_async(square, 4), sum);
  EXPECT_EQ(sum.wait(), 25);
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
