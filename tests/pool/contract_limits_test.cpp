// SPDX-License-Identifier: MIT
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "pool/facts.hpp"

// What makes no sense is said at once, and leaves the pool as it was.
namespace brood::testing {
namespace {

std::string words_of(auto call) {
  try {
    call();
  } catch (const ValueError& error) {
    return error.what();
  }
  return {};
}

// A range that throws at an item of its choice.
struct Failing {
  int at = 0;
  struct Iterator {
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    int i = 0;
    int at = 0;
    int operator*() const {
      if (i == at) throw std::domain_error("item " + std::to_string(i));
      return i;
    }
    Iterator& operator++() {
      ++i;
      return *this;
    }
    void operator++(int) { ++i; }
    bool operator==(std::default_sentinel_t) const { return i == 10; }
  };
  Iterator begin() const { return {0, at}; }
  std::default_sentinel_t end() const { return {}; }
};
struct Unbegun {
  int* begin() const { throw std::domain_error("no begin"); }
  int* end() const { return nullptr; }
};

class Limits : public AllContexts {
 protected:
  Pool pool_of(auto change) const {
    PoolOptions changed = options(1);
    change(changed);
    return Pool(changed);
  }
};
INSTANTIATE_TEST_SUITE_P(contexts, Limits, every_context, name_of);

TEST_P(Limits, of_a_pool_are_checked_when_it_is_made) {
  for (const std::int64_t wrong :
       {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min()}) {
    EXPECT_NE(words_of([&] { Pool pool(options(wrong)); }).find("processes"), std::string::npos);
    EXPECT_NE(words_of([&] {
                pool_of([&](auto& o) { o.maxtasksperchild = wrong; });
              }).find("maxtasksperchild"),
              std::string::npos);
    EXPECT_NE(
        words_of([&] { pool_of([&](auto& o) { o.memory_limit = wrong; }); }).find("memory_limit"),
        std::string::npos);
  }
  if (GetParam() == Context::thread) {
    EXPECT_THROW(pool_of([](auto& o) { o.maxtasksperchild = 5; }), ValueError);
    EXPECT_THROW(pool_of([](auto& o) { o.memory_limit = GiB; }), ValueError);
  } else {
    EXPECT_THROW(pool_of([](auto& o) { o.initializer = local([] {}); }), ShipError);
  }
}

TEST_P(Limits, of_the_environment_are_checked_too) {
  const PoolOptions unsaid{.context = GetParam()};
  for (const char* wrong :
       {"0", "-1", "two", "2x", " 2", "2.0", "0x2", "99999999999999999999999"}) {
    ::setenv("BROOD_PROCESSES", wrong, 1);
    const std::string words = words_of([&] { Pool pool(unsaid); });
    EXPECT_NE(words.find("BROOD_PROCESSES"), std::string::npos) << wrong;
    EXPECT_NE(words.find(wrong), std::string::npos) << words;
    EXPECT_EQ(make_pool(1).stats().workers, 1u);
  }
  ::setenv("BROOD_PROCESSES", "3", 1);
  EXPECT_EQ(Pool(unsaid).stats().workers, 3u);
  ::setenv("BROOD_PROCESSES", "", 1);
  EXPECT_EQ(Pool(unsaid).stats().workers, cpu_count());
  ::unsetenv("BROOD_PROCESSES");
}

TEST_P(Limits, of_calls_and_maps_are_checked_before_anything_runs) {
  Pool pool = make_pool(1);
  const std::vector xs{1, 2, 3};
  for (const int wrong : {0, -1}) {
    EXPECT_NE(words_of([&] { pool.map(square, xs, wrong); }).find("chunksize"), std::string::npos);
    EXPECT_THROW(pool.map({.chunksize = wrong}, square, xs), ValueError);
    EXPECT_THROW(pool.map_async(square, xs, wrong), ValueError);
    EXPECT_THROW(pool.map_outcomes(square, xs, wrong), ValueError);
    EXPECT_THROW(pool.starmap(square, std::vector{std::tuple{1}}, wrong), ValueError);
    EXPECT_THROW(pool.starmap_async(square, std::vector{std::tuple{1}}, wrong), ValueError);
    EXPECT_THROW(pool.imap(square, xs, wrong), ValueError);
    EXPECT_THROW(pool.imap_unordered(square, xs, wrong), ValueError);
    EXPECT_THROW(pool.resize(wrong), ValueError);
  }
  EXPECT_NE(words_of([&] { pool.apply({.retries = -1}, square, 1); }).find("retries"),
            std::string::npos);
  EXPECT_THROW(pool.map({.retries = -2}, square, xs), ValueError);
  EXPECT_THROW(pool.imap({.retries = -2}, square, xs), ValueError);
  EXPECT_THROW(pool.map({.errors = Errors::collect}, square, xs), ValueError);
  EXPECT_THROW(pool.map_async({.errors = Errors::collect}, square, xs), ValueError);
  EXPECT_THROW(pool.imap({.callback = [](auto) {}}, square, xs), ValueError);
  EXPECT_EQ(pool.stats().done, 0u);
  EXPECT_EQ(pool.map(square, xs, std::numeric_limits<std::uint64_t>::max()),
            (std::vector{1, 4, 9}));
  EXPECT_EQ(
      pool.map({.chunksize = 100, .retries = std::numeric_limits<std::int64_t>::max()}, square, xs),
      (std::vector{1, 4, 9}));
}

TEST_P(Limits, of_time_may_be_in_the_past_or_beyond_all_clocks) {
  Pool pool = make_pool(1);
  EXPECT_THROW(pool.apply({.timeout = 0s}, until_stopped), TaskTimeout);
  EXPECT_THROW(pool.apply({.timeout = -1h}, until_stopped), TaskTimeout);
  EXPECT_THROW(pool.map({.timeout = -0.5s}, [](int) { return until_stopped(); }, {1}), TaskTimeout);
  EXPECT_EQ(pool.apply({.timeout = std::chrono::hours::max()}, square, 2), 4);
  EXPECT_EQ(pool.apply({.timeout = std::chrono::nanoseconds::max()}, square, 2), 4);
  EXPECT_EQ(pool.map({.timeout = std::chrono::duration<double>(1e18)}, square, {2}),
            std::vector{4});
  EXPECT_EQ(pool.map({.timeout = std::chrono::years(290)}, square, {2}), std::vector{4});
  for (const int x : pool.imap({.timeout = std::chrono::milliseconds::max()}, square, {2})) {
    EXPECT_EQ(x, 4);
  }
  const auto busy = keep_busy(pool, 1);
  EXPECT_TRUE(busy[0].cancel(std::chrono::hours::max()));
  EXPECT_EQ(pool.apply(square, 3), 9);
  const auto stubborn = keep_busy(pool, 1);
  EXPECT_TRUE(stubborn[0].cancel(-5s));
  EXPECT_EQ(pool.apply(square, 3), 9);
  pool.close();
  pool.join(-1s);
  EXPECT_TRUE(pool.join(std::chrono::years::max()));
  EXPECT_TRUE(pool.join(0s));
}

TEST_P(Limits, of_nothing_give_nothing) {
  Pool pool = make_pool(1);
  const std::vector<int> none;
  EXPECT_TRUE(pool.map(square, none, 5).empty());
  EXPECT_TRUE(pool.map_async(square, none).get().empty());
  EXPECT_TRUE(pool.map_outcomes(square, none).empty());
  EXPECT_TRUE(pool.starmap(square, std::vector<std::tuple<int>>{}).empty());
  EXPECT_TRUE(
      pool.starmap_async({.chunksize = 3}, square, std::vector<std::tuple<int>>{}).get().empty());
  pool.map([](int) {}, none);
  pool.map_async([](int) {}, none).get();
  auto lazy = pool.imap(square, none);
  EXPECT_TRUE(lazy.begin() == lazy.end());
  EXPECT_TRUE(lazy.begin() == lazy.end());
  EXPECT_EQ(lazy.next(), std::nullopt);
  EXPECT_EQ(pool.imap_unordered({.chunksize = 100}, square, none).next(0s), std::nullopt);
  EXPECT_TRUE(pool.map(square, std::views::iota(0, 0)).empty());
  EXPECT_EQ(pool.stats().done, 0u);
}

TEST_P(Limits, of_a_range_that_throws_are_its_own_error) {
  Pool pool = make_pool(1);
  for (int round = 0; round < 2; ++round) {
    for (const int at : {0, 3}) {
      EXPECT_THROW(pool.map(square, Failing{at}), std::domain_error);
      EXPECT_THROW(pool.map_async(square, Failing{at}, 2), std::domain_error);
      EXPECT_THROW(pool.map_outcomes(square, Failing{at}), std::domain_error);
      EXPECT_THROW(pool.starmap(square, Failing{at} | std::views::transform(
                                                          [](int i) { return std::tuple{i}; })),
                   std::domain_error);
    }
    EXPECT_THROW(pool.map(square, Unbegun{}), std::domain_error);
  }
  for (const int chunk : {1, 2, 4}) {
    std::vector<int> values;
    const auto read = [&](auto lazy) {
      values.clear();
      for (const int value : lazy) values.push_back(value);
    };
    EXPECT_THROW(read(pool.imap(square, Failing{3}, chunk)), std::domain_error);
    EXPECT_EQ(values, (std::vector{0, 1, 4}));
    EXPECT_THROW(read(pool.imap_unordered(square, Failing{3}, chunk)), std::domain_error);
    EXPECT_EQ(values.size(), 3u);
  }
  auto lazy = pool.imap(square, Unbegun{});
  EXPECT_THROW(lazy.next(), std::domain_error);
  EXPECT_EQ(lazy.next(), std::nullopt);
  EXPECT_EQ(pool.apply(square, 3), 9);
}

TEST_P(Limits, of_its_life_are_said_by_each_call) {
  Pool pool = make_pool(1);
  EXPECT_THROW(pool.join(), ValueError);
  EXPECT_THROW(pool.join(1s), ValueError);
  EXPECT_EQ(pool.apply(square, 2), 4);
  pool.close();
  pool.close();
  EXPECT_NE(words_of([&] { pool.apply(square, 1); }).find("closed"), std::string::npos);
  EXPECT_THROW(pool.apply_async(square, 1), ValueError);
  EXPECT_THROW(pool.map(square, {1}), ValueError);
  EXPECT_THROW(pool.map(square, {}), ValueError);
  EXPECT_THROW(pool.map_async(square, {1}), ValueError);
  EXPECT_THROW(pool.map_outcomes(square, {1}), ValueError);
  EXPECT_THROW(pool.starmap(square, std::vector{std::tuple{1}}), ValueError);
  EXPECT_THROW(pool.imap(square, {1}), ValueError);
  EXPECT_THROW(pool.imap_unordered(square, {1}), ValueError);
  EXPECT_THROW(pool.resize(2), ValueError);
  pool.join();
  pool.join();
  EXPECT_EQ(pool.stats().workers, 0u);
  EXPECT_EQ(pool.stats().done, 1u);
  pool.terminate();
  pool.terminate();
  Pool moved = std::move(pool);
  EXPECT_THROW(pool.apply(square, 1), ValueError);  // NOLINT(bugprone-use-after-move)
  EXPECT_THROW(pool.close(), ValueError);
  EXPECT_THROW(pool.join(), ValueError);
  EXPECT_THROW(pool.stats(), ValueError);
  EXPECT_THROW(pool.poll(JobId{}), ValueError);
  pool.terminate();
  EXPECT_THROW(moved.apply(square, 1), ValueError);
}

TEST(LimitsOfContexts, are_said_where_there_is_no_engine) {
  EXPECT_THROW((Pool{{.processes = 1, .context = Context::mpi}}), ContextError);
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
