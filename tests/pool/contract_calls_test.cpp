// SPDX-License-Identifier: MIT
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "pool/facts.hpp"

// The calls of the manual, each in every spelling that it shows.
namespace brood::testing {
namespace {

int add(int a, int b) { return a + b; }
int halve(int x) noexcept { return x / 2; }
void nothing(int) {}
std::string join(std::string left, const std::string& right) { return left + right; }

struct Point {
  int x = 0;
  double y = 0;
  std::string name;
  int doubled() const { return 2 * x; }
  int plus(int z) const noexcept { return x + z; }
  friend bool operator==(const Point&, const Point&) = default;
};

class Calls : public AllContexts {};
INSTANTIATE_TEST_SUITE_P(contexts, Calls, every_context, name_of);

TEST_P(Calls, take_every_kind_of_callable) {
  Pool pool = make_pool();
  EXPECT_EQ(pool.apply(square, 2), 4);
  EXPECT_EQ(pool.apply(&square, 2), 4);
  EXPECT_EQ(pool.apply(halve, 8), 4);
  EXPECT_EQ(pool.apply([](int x) { return x + 1; }, 2), 3);
  EXPECT_EQ(pool.apply([](auto x) { return x + x; }, std::string("ab")), "abab");
  EXPECT_EQ(pool.apply([](auto... x) { return (x + ...); }, 1, 2.5, 3), 6.5);
  EXPECT_EQ(pool.apply(&Point::doubled, Point{4, 0, ""}), 8);
  EXPECT_EQ(pool.apply(&Point::plus, Point{4, 0, ""}, 3), 7);
  EXPECT_EQ(pool.apply(&Point::name, Point{4, 0, "p"}), "p");
  EXPECT_EQ(pool.apply(std::plus<>{}, 2, 3), 5);
  EXPECT_EQ(pool.apply(std::negate<int>{}, 2), -2);
  int captured = 40;
  EXPECT_EQ(pool.apply([captured](int x) { return captured + x; }, 2), 42);
  EXPECT_EQ(pool.apply(task(join, "a"), "b"), "ab");
  EXPECT_EQ(pool.apply(task(add, 1, 2)), 3);
  EXPECT_EQ(pool.apply(task([](const std::vector<int>& v, int i) { return v.at(std::size_t(i)); },
                            std::vector{7, 8, 9}),
                       2),
            9);
}

TEST_P(Calls, take_their_options_first_in_every_spelling) {
  Pool pool = make_pool();
  EXPECT_EQ(pool.apply({.timeout = 30s}, square, 2), 4);
  EXPECT_EQ(pool.apply({.retries = 1}, square, 3), 9);
  EXPECT_EQ(pool.apply({.timeout = 30s, .retries = 2u}, [](auto x) { return x; }, 5L), 5L);
  EXPECT_EQ(pool.apply({}, square, 4), 16);
  const ApplyOptions<int> options{.timeout = std::chrono::duration<double>(30.5)};
  EXPECT_EQ(pool.apply(options, square, 5), 25);
  EXPECT_EQ(pool.apply(ApplyOptions<int>{.timeout = 1min}, square, 6), 36);
  pool.apply({.timeout = 30s}, nothing, 1);
  EXPECT_EQ(pool.apply_async({.timeout = std::chrono::hours::max()}, square, 7).get(), 49);
}

TEST_P(Calls, call_back_in_every_spelling) {
  Pool pool = make_pool();
  std::promise<int> generic;
  std::promise<int> typed;
  std::promise<void> empty;
  std::promise<std::string> error;
  std::promise<std::size_t> moved;
  pool.apply_async({.callback = [&](auto v) { generic.set_value(v); }}, square, 2);
  pool.apply_async({.timeout = 30s,
                    .callback = [&](const int& v) { typed.set_value(v); },
                    .error_callback = [](std::exception_ptr) { ADD_FAILURE(); }},
                   square, 3);
  pool.apply_async({.callback = [&] { empty.set_value(); }}, nothing, 1);
  pool.apply_async(
      {.callback = [](int) { ADD_FAILURE(); },
       .error_callback =
           [&](std::exception_ptr why) {
             try {
               std::rethrow_exception(why);
             } catch (const std::exception& e) {
               error.set_value(e.what());
             }
           }},
      [](int x) -> int { throw std::out_of_range("no " + std::to_string(x)); }, 4);
  pool.apply_async({.callback = [&](const auto& v) { moved.set_value(v->size()); }},
                   [] { return std::make_unique<std::string>("four"); });
  EXPECT_EQ(generic.get_future().get(), 4);
  EXPECT_EQ(typed.get_future().get(), 9);
  empty.get_future().get();
  EXPECT_EQ(error.get_future().get(), "no 4");
  EXPECT_EQ(moved.get_future().get(), 4u);
}

TEST_P(Calls, hand_arguments_over_as_rvalues_of_the_decayed_type) {
  Pool pool = make_pool();
  EXPECT_EQ(pool.apply([](std::string&& s) { return s.size(); }, "literal"), 7u);
  const std::string kept = "kept";
  EXPECT_EQ(pool.apply([](std::string s) { return s + s; }, kept), "keptkept");
  EXPECT_EQ(kept, "kept");
  EXPECT_EQ(pool.apply([](const std::string& s) { return s.size(); }, std::string_view("view")),
            4u);
  std::vector<int> numbers{1, 2, 3};
  const auto sum = [](std::span<const int> v) {
    int total = 0;
    for (const int each : v) total += each;
    return total;
  };
  EXPECT_EQ(pool.apply(sum, numbers), 6);
  EXPECT_EQ(pool.apply(sum, std::span<const int>(numbers)), 6);
  EXPECT_EQ(pool.apply([](std::vector<int> v) { return v.size(); }, std::span<int>(numbers)), 3u);
  EXPECT_EQ(pool.apply([](std::string_view s) { return s.size(); }, kept), 4u);
  EXPECT_EQ(pool.apply([](std::unique_ptr<int> p) { return *p; }, std::make_unique<int>(5)), 5);
  EXPECT_EQ(*pool.apply([](std::unique_ptr<int> p) { return p; }, std::make_unique<int>(6)), 6);
}

// There before brood::init, so that workers have it.
const Point fixed{1, 2.5, "fixed"};

TEST_P(Calls, return_decayed_copies) {
  Pool pool = make_pool();
  const Point got = pool.apply([]() -> const Point& { return fixed; });
  EXPECT_EQ(got, fixed);
  static_assert(
      std::is_same_v<decltype(pool.apply([]() -> const Point& { return fixed; })), Point>);
  EXPECT_EQ(pool.apply([](Point p) { return p; }, Point{3, 4.5, "p"}), (Point{3, 4.5, "p"}));
  using Any = std::variant<int, std::string>;
  EXPECT_EQ(pool.apply([](Any any) { return std::get<std::string>(any); }, Any("v")), "v");
  EXPECT_EQ(pool.apply([](std::optional<int> x) { return x; }, std::optional<int>{}), std::nullopt);
  const std::map<std::string, std::vector<int>> deep{{"a", {1}}, {"b", {}}};
  EXPECT_EQ(pool.apply([](std::map<std::string, std::vector<int>> m) { return m; }, deep), deep);
  EXPECT_EQ(pool.apply([](bool b) { return !b; }, true), false);
  EXPECT_EQ(pool.apply([](std::array<int, 3> a) { return a; }, std::array{1, 2, 3})[2], 3);
}

TEST_P(Calls, give_each_task_a_fresh_copy_of_its_callable) {
  Pool pool = make_pool(1);
  const auto counter = [n = 0](int) mutable { return ++n; };
  EXPECT_EQ(pool.apply(counter, 0), 1);
  EXPECT_EQ(pool.apply(counter, 0), 1);
  EXPECT_EQ(pool.map(counter, {0, 0, 0}, 3), (std::vector{1, 1, 1}));
  int seen = 0;
  for (const int n : pool.imap(counter, {0, 0, 0})) seen += n;
  EXPECT_EQ(seen, 3);
}

TEST_P(Calls, take_a_closure_that_was_kept_in_something_else_before) {
  Pool pool = make_pool();
  int captured = 40;
  const auto f = [captured](int x) { return captured + x; };
  const std::optional<std::decay_t<decltype(f)>> kept(f);
  const auto seen = std::views::iota(0, 3) | std::views::transform(f);
  EXPECT_EQ(seen[2], 42);
  EXPECT_EQ(pool.apply(*kept, 2), 42);
  EXPECT_EQ(pool.map(f, {1, 2}), (std::vector{41, 42}));
}

TEST_P(Calls, read_their_arguments_before_they_return) {
  Pool pool = make_pool(1);
  const auto busy = keep_busy(pool, 1);
  std::vector<int> numbers{1, 2, 3};
  std::string text = "before";
  const auto later = pool.apply_async([](const std::string& s) { return s; }, text);
  const auto map = pool.map_async(square, numbers);
  text = "after";
  numbers.assign(3, 100);
  for (const auto& each : busy) each.cancel();
  EXPECT_EQ(later.get(), "before");
  EXPECT_EQ(map.get(), (std::vector{1, 4, 9}));
}

TEST_P(Calls, know_who_they_are) {
  Pool pool = make_pool();
  const auto who = [] {
    return std::tuple(this_task::id(), this_task::index(), this_task::stop_token().stop_requested(),
                      this_task::seed());
  };
  const auto call = pool.apply_async(who);
  EXPECT_EQ(std::get<0>(call.get()), call.id());
  EXPECT_EQ(std::get<1>(call.get()), 0u);
  EXPECT_FALSE(std::get<2>(call.get()));
  const auto map = pool.map_async(
      [](int) { return std::pair(this_task::id(), this_task::index()); }, std::vector(100, 0), 7);
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(map.get()[i], (std::pair(map.id(), i)));
  }
  EXPECT_EQ(this_task::id(), JobId{});
  EXPECT_FALSE(this_task::stop_token().stop_requested());
  pool.apply([] { this_task::progress(1, 2); });
}

TEST_P(Calls, come_from_many_threads_at_once) {
  Pool pool = make_pool();
  std::vector<std::jthread> callers;
  for (int caller = 0; caller < 6; ++caller) {
    callers.emplace_back([&pool, caller] {
      for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(pool.apply(add, caller, i), caller + i);
        EXPECT_EQ(pool.map(square, {caller, i}), (std::vector{caller * caller, i * i}));
        auto lazy = pool.imap(square, std::vector{caller, i});
        EXPECT_EQ(*lazy.begin(), caller * caller);
        EXPECT_TRUE(pool.apply_async(square, i).wait(30s));
      }
    });
  }
}

class Making : public AllContexts {};
INSTANTIATE_TEST_SUITE_P(contexts, Making, every_context, name_of);

TEST_P(Making, a_pool_takes_any_integral_and_any_options) {
  EXPECT_EQ((Pool{{.processes = std::int8_t{1}, .context = GetParam()}}).stats().workers, 1u);
  EXPECT_EQ((Pool{{.processes = 2ULL, .context = GetParam(), .name = "named"}}).stats().workers,
            2u);
  const PoolOptions options{.processes = std::size_t{1}, .context = GetParam()};
  Pool pool{options};
  EXPECT_EQ(pool.apply(square, 3), 9);
  Pool again{{.context = GetParam()}};
  EXPECT_EQ(again.stats().workers, cpu_count());
}

TEST(MakingByCount, takes_any_integral) {
  EXPECT_EQ(Pool{1}.stats().workers, 1u);
  EXPECT_EQ(Pool{2u}.stats().workers, 2u);
  EXPECT_EQ(Pool{std::size_t{1}}.stats().workers, 1u);
  EXPECT_EQ(Pool(short{1}).stats().workers, 1u);
  EXPECT_EQ(Pool{}.stats().workers, cpu_count());
  Pool pool;
  EXPECT_EQ(pool.apply(square, 2), 4);
}

std::atomic<int> ready_made{0};  // each thread of a pool is prepared
void set_up(const std::string& model) { ready_made += static_cast<int>(model.size()); }

TEST_P(Making, an_initializer_and_a_preload_are_any_callable) {
  ready_made = 0;
  Pool plain{{.processes = 1, .initializer = [] { ++ready_made; }, .context = GetParam()}};
  EXPECT_EQ(plain.apply([] { return ready_made.load(); }), 1);
  ready_made = 0;
  Pool bound{{.processes = 1, .initializer = task(set_up, "model.bin"), .context = GetParam()}};
  EXPECT_EQ(bound.apply([] { return ready_made.load(); }), 9);
  ready_made = 0;
  Pool loaded{{.processes = 2,
               .initializer = [] { ready_made = 10 * ready_made; },
               .preload = task(set_up, std::string("abc")),
               .context = GetParam()}};
  if (GetParam() != Context::thread) {
    EXPECT_EQ(loaded.map([](int) { return ready_made.load(); }, {0, 0, 0}), std::vector(3, 30));
  }
}

TEST_P(Making, a_pool_counts_what_it_does) {
  Pool pool = make_pool();
  pool.map(square, {1, 2, 3});
  EXPECT_THROW(pool.apply([]() -> int { throw std::runtime_error("no"); }), std::runtime_error);
  eventually([&] { return pool.stats().running == 0; });
  const PoolStats stats = pool.stats();
  EXPECT_EQ(stats.workers, 2u);
  EXPECT_EQ(stats.queued, 0u);
  EXPECT_EQ(stats.running, 0u);
  EXPECT_EQ(stats.done, 3u);
  EXPECT_EQ(stats.failed, 1u);
  EXPECT_EQ(stats.crashed, 0u);
  EXPECT_EQ(stats.respawned, 0u);
  EXPECT_GE(stats.run_time.count(), 0);
  EXPECT_GE(stats.wait_time.count(), 0);
  const auto busy = keep_busy(pool, 2);
  const auto queued = pool.apply_async(square, 1);
  eventually([&] { return pool.stats().running == 2 && pool.stats().queued == 1; });
  for (const auto& each : busy) each.cancel();
  EXPECT_EQ(queued.get(), 1);
}

TEST_P(Making, a_pool_is_moved_with_its_tasks_and_resized) {
  Pool first = make_pool(1);
  const auto result = first.apply_async(square, 5);
  Pool second = std::move(first);
  EXPECT_EQ(result.get(), 25);
  std::vector<Pool> pools;
  pools.push_back(std::move(second));
  pools[0].resize(3L);
  EXPECT_EQ(pools[0].map(square, {1, 2, 3}), (std::vector{1, 4, 9}));
  eventually([&] { return pools[0].stats().workers == 3; });
  pools[0].resize(1u);
  eventually([&] { return pools[0].stats().workers == 1; });
  EXPECT_EQ(pools[0].apply(square, 6), 36);
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
