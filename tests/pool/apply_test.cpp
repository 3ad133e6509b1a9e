// SPDX-License-Identifier: MIT
#include <array>
#include <atomic>
#include <complex>
#include <filesystem>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <variant>
#include <vector>

#include "pool/contexts.hpp"

namespace brood::testing {
namespace {

class Apply : public AllContexts {};
INSTANTIATE_TEST_SUITE_P(contexts, Apply, every_context, name_of);

int square(int x) { return x * x; }
int twice(int x) noexcept { return 2 * x; }

struct Point {
  int x = 0;
  double y = 0;
  std::string name;
  friend bool operator==(const Point&, const Point&) = default;
};

struct Adder {
  int offset = 0;
  int operator()(int x) const { return x + offset; }
};

struct Named {
  std::string prefix;
  std::string operator()(const std::string& name) const { return prefix + name; }
};

struct Counter {
  int total = 3;
  int plus(int more) const { return total + more; }
};

TEST_P(Apply, runs_a_function) {
  Pool pool = make_pool();
  EXPECT_EQ(pool.apply(square, 7), 49);
  EXPECT_EQ(pool.apply(&square, 8), 64);
  EXPECT_EQ(pool.apply(twice, 8), 16);
}

TEST_P(Apply, runs_a_lambda_and_a_generic_one) {
  Pool pool = make_pool();
  EXPECT_EQ(pool.apply([](int x, int y) { return x - y; }, 7, 2), 5);
  EXPECT_EQ(pool.apply([](auto x) { return x + 0.5; }, 7), 7.5);
}

TEST_P(Apply, sends_captured_numbers) {
  Pool pool = make_pool();
  int offset = 40;
  EXPECT_EQ(pool.apply([offset](int x) { return x + offset; }, 2), 42);
}

TEST_P(Apply, runs_function_objects_and_member_functions) {
  Pool pool = make_pool();
  EXPECT_EQ(pool.apply(Adder{5}, 2), 7);
  EXPECT_EQ(pool.apply(Named{"Dr. "}, "Who"), "Dr. Who");
  EXPECT_EQ(pool.apply(&Counter::plus, Counter{4}, 2), 6);
  EXPECT_EQ(pool.apply(&Counter::total, Counter{4}), 4);
  EXPECT_EQ(pool.apply(std::plus<>{}, 4, 5), 9);
}

TEST_P(Apply, binds_values_with_task) {
  Pool pool = make_pool();
  const auto greet = task(
      [](const std::string& greeting, const std::string& name) { return greeting + ", " + name; },
      "hello");
  EXPECT_EQ(pool.apply(greet, "world"), "hello, world");
}

TEST_P(Apply, returns_nothing_for_a_void_function) {
  Pool pool = make_pool();
  static_assert(std::is_void_v<decltype(pool.apply([] {}))>);
  pool.apply([] {});
}

TEST_P(Apply, carries_values_of_many_types_both_ways) {
  Pool pool = make_pool();
  const auto same = [](auto value) { return value; };
  const auto check = [&](const auto& value) { EXPECT_EQ(pool.apply(same, value), value); };
  check(true);
  check('x');
  check(std::int64_t{-5});
  check(2.5);
  check(std::string("text"));
  check(std::string(100'000, 'l'));
  check(std::vector<int>{1, 2, 3});
  check(std::vector<bool>{true, false, true});
  check(std::vector<std::string>{"a", "", "ccc"});
  check(std::map<std::string, int>{{"one", 1}, {"two", 2}});
  check(std::set<int>{3, 1, 2});
  check(std::pair{1, std::string("b")});
  check(std::tuple{1, 2.0, std::string("c")});
  check(std::array<int, 3>{1, 2, 3});
  check(std::optional<int>{});
  check(std::optional<int>{4});
  check(std::variant<int, std::string>{"v"});
  check(std::complex<double>{1, 2});
  check(std::chrono::milliseconds{5});
  check(std::filesystem::path{"/a/b"});
  check(Point{1, 2.5, "p"});
  check(std::vector<Point>{{1, 2.5, "p"}, {2, 3.5, "q"}});
}

TEST_P(Apply, moves_what_can_only_be_moved) {
  Pool pool = make_pool();
  auto result =
      pool.apply([](std::unique_ptr<int> value) { return std::make_unique<int>(*value + 1); },
                 std::make_unique<int>(4));
  EXPECT_EQ(*result, 5);
}

TEST_P(Apply, carries_megabytes_there_and_back) {
  Pool pool = make_pool();
  std::vector<double> values(1'000'000);
  std::iota(values.begin(), values.end(), 0.0);
  const auto doubled = pool.apply(
      [](std::vector<double> v) {
        for (double& x : v) x *= 2;
        return v;
      },
      values);
  ASSERT_EQ(doubled.size(), values.size());
  EXPECT_EQ(doubled.back(), 2 * values.back());
}

TEST_P(Apply, lets_a_function_look_at_its_argument_in_place) {
  Pool pool = make_pool();
  EXPECT_EQ(
      pool.apply([](std::span<const int> v) { return std::accumulate(v.begin(), v.end(), 0); },
                 std::vector<int>{1, 2, 3}),
      6);
  EXPECT_EQ(pool.apply([](std::string_view text) { return text.size(); }, "four"), 4u);
}

TEST_P(Apply, gives_the_function_its_own_copy_of_the_callable) {
  Pool pool = make_pool(1);
  auto counting = [count = 0]() mutable { return ++count; };
  EXPECT_EQ(pool.apply(counting), 1);
  EXPECT_EQ(pool.apply(counting), 1);
}

TEST_P(Apply, refuses_a_captured_reference_and_names_the_byte) {
  Pool pool = make_pool();
  if (GetParam() == Context::thread) {
    int seen = 0;
    pool.apply(local([&seen] { seen = 1; }));
    EXPECT_EQ(seen, 1);
    return;
  }
  int here = 0;
  try {
    pool.apply([&here] { return here; });
    FAIL() << "a reference travelled";
  } catch (const ShipError& error) {
    EXPECT_NE(std::string(error.what()).find("byte offset 0"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("brood::task"), std::string::npos) << error.what();
  }
}

TEST_P(Apply, takes_options_first) {
  Pool pool = make_pool();
  EXPECT_EQ(pool.apply({.timeout = 10s}, square, 3), 9);
  EXPECT_EQ(pool.apply({.timeout = std::chrono::duration<double>(10.5), .retries = 2}, square, 3),
            9);
}

TEST_P(Apply, serves_many_threads_at_once) {
  Pool pool = make_pool();
  std::vector<std::thread> callers;
  std::atomic<long> sum{0};
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int i = 0; i < 500; ++i) sum += pool.apply(square, i);
    });
  }
  for (auto& caller : callers) caller.join();
  long expected = 0;
  for (int i = 0; i < 500; ++i) expected += 4L * i * i;
  EXPECT_EQ(sum, expected);
}

TEST_P(Apply, lets_a_task_have_a_pool_of_its_own) {
  Pool pool = make_pool();
  const auto nested = [](int x) {
    Pool inner{2};
    const auto squares = inner.map(square, {x, x + 1});
    return squares[0] + squares[1];
  };
  if (GetParam() == Context::thread) return;  // its threads forbid a late nursery of a copy
  EXPECT_EQ(pool.apply(nested, 3), 25);
}

TEST_P(Apply, tells_a_task_who_it_is) {
  Pool pool = make_pool();
  auto result = pool.apply_async([] { return this_task::id().number; });
  EXPECT_EQ(result.get(), result.id().number);
  EXPECT_EQ(pool.apply([] { return this_task::index(); }), 0u);
  EXPECT_FALSE(pool.apply([] { return this_task::stop_token().stop_requested(); }));
  EXPECT_EQ(this_task::id(), JobId{});
}

TEST_P(Apply, gives_the_same_seeds_whatever_the_number_of_workers) {
  const auto seed = [](int) { return this_task::seed(); };
  Pool one = make_pool(1);
  Pool three = make_pool(3);
  const std::vector<int> items(50);
  const auto first = one.map(seed, items);
  EXPECT_EQ(first, three.map(seed, items));
  EXPECT_EQ(std::set(first.begin(), first.end()).size(), items.size());
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
