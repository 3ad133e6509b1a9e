// SPDX-License-Identifier: MIT
//
// Views and what becomes of the processes that made them.
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <brood/brood.hpp>

#include "pool/contexts.hpp"
#include "share/views.hpp"

namespace brood::testing {
namespace {

TEST(ThreadViews, are_not_copied_at_all) {
  Pool pool{{.processes = 1, .context = Context::thread}};
  std::vector<std::uint64_t> values(many, 1);
  const std::uint64_t* const where = values.data();
  const View<std::uint64_t> given(std::move(values));
  const auto back = pool.apply([](View<std::uint64_t> same) { return same; }, given);
  EXPECT_EQ(back.data(), where);
}

class ProcessViews : public Processes {};

TEST_P(ProcessViews, are_the_very_memory_that_the_task_filled) {
  Pool pool = make_pool(1);
  const auto [view, number] = pool.apply([] {
    auto made = count_many_from(2);
    auto its_number = number_of_memory_at(made.data());
    return std::pair(std::move(made), std::move(its_number));
  });
  EXPECT_TRUE(counts_from(view, 2, many));
  EXPECT_EQ(number_of_memory_at(view.data()), number);
  EXPECT_EQ(
      pool.apply([](const View<std::uint64_t>& given) { return number_of_memory_at(given.data()); },
                 view),
      number);
}

TEST_P(ProcessViews, outlive_the_worker_that_made_them) {
  Pool pool = make_pool(1);
  auto result = pool.apply_async(count_many_from, 6);
  result.wait();
  EXPECT_THROW(pool.apply([] { ::kill(::getpid(), SIGKILL); }), WorkerCrashed);
  EXPECT_TRUE(counts_from(result.get(), 6, many));
  const auto argument = result.get();
  EXPECT_EQ(pool.apply(sum, argument), sum(argument));
}

TEST_P(ProcessViews, of_items_before_a_crash_are_kept) {
  Pool pool = make_pool(1);
  const auto outcomes = pool.map_outcomes(
      [](std::uint64_t first) {
        auto made = count_many_from(first);
        if (first == 3) ::kill(::getpid(), SIGKILL);
        return made;
      },
      {1, 2, 3, 4}, 4);
  EXPECT_TRUE(counts_from(outcomes[0].value(), 1, many));
  EXPECT_TRUE(counts_from(outcomes[1].value(), 2, many));
  EXPECT_THROW(outcomes[2].value(), WorkerCrashed);
  EXPECT_TRUE(counts_from(outcomes[3].value(), 4, many));
}

TEST_P(ProcessViews, of_a_killed_worker_leave_nothing_behind) {
  Pool pool = make_pool(1);
  for (int i = 0; i < 10; ++i) {
    EXPECT_THROW(pool.apply([] {
      const auto made = View<int>::make(many, [](std::span<int> out) {
        out.front() = 1;
        ::kill(::getpid(), SIGKILL);
      });
      return made;
    }),
                 WorkerCrashed);
  }
  EXPECT_EQ(mapped(), 0);
  EXPECT_EQ(descriptors(), 0);
}

TEST_P(ProcessViews, need_not_have_a_descriptor_each) {
  struct rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  Pool pool = make_pool(1);
  pool.apply(count_many_from, 0);
  struct rlimit few = before;
  few.rlim_cur = 200;
  ::setrlimit(RLIMIT_NOFILE, &few);
  std::vector<std::uint64_t> firsts(400);
  std::iota(firsts.begin(), firsts.end(), 0U);
  const auto all = pool.map(count_many_from, firsts);
  std::size_t next = 0;
  for (const auto& each : all) EXPECT_TRUE(counts_from(each, firsts[next++], many));
  EXPECT_EQ(next, firsts.size());
  EXPECT_LE(descriptors(), 100);
  EXPECT_EQ(pool.apply(sum, all.back()), sum(all.back()));
  ::setrlimit(RLIMIT_NOFILE, &before);
}

INSTANTIATE_TEST_SUITE_P(contexts, ProcessViews, every_process, name_of);

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
