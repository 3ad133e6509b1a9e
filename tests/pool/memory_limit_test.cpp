// SPDX-License-Identifier: MIT
//
// Apart from the other tests: a sanitizer's allocator ends the process where
// malloc would say no. All of this holds with and without control groups; what holds
// in them alone is in memory_group_test.cpp.
#include <gmock/gmock.h>

#include <csignal>
#include <new>
#include <numeric>
#include <set>

#include "pool/contexts.hpp"
#include "pool/memory_tasks.hpp"

namespace brood::testing {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

constexpr std::uint64_t limit = 64 * MiB;

class MemoryLimit : public Processes {
 protected:
  PoolOptions limited(Count processes = 1, std::uint64_t bytes = limit) const {
    PoolOptions limited = options(processes);
    limited.memory_limit = bytes;
    return limited;
  }
};
INSTANTIATE_TEST_SUITE_P(contexts, MemoryLimit, every_process, name_of);

template <typename Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing was thrown";
}

// That it's this type, and no other WorkerCrashed.
template <typename Task>
void expect_death_of_the_limit(Pool& pool, Task task) {
  try {
    pool.apply(task);
    ADD_FAILURE() << "it came back";
  } catch (const MemoryLimitExceeded& death) {
    EXPECT_EQ(death.limit(), limit);
    EXPECT_GE(death.peak(), limit - limit / 8) << death.what();
    EXPECT_LE(death.peak(), limit + MiB) << death.what();
    EXPECT_THAT(death.what(), HasSubstr("met its memory_limit of 64 MiB, with 6"));
    EXPECT_NE(death.exit_code(), 0);
    EXPECT_EQ(death.task_name().empty(), false);
  } catch (const std::exception& other) {
    ADD_FAILURE() << other.what();
  }
  EXPECT_EQ(pool.apply([] { return 1; }), 1);
}

TEST_P(MemoryLimit, costs_the_task_that_passes_it_and_no_other) {
  Pool pool(limited(2));
  std::vector<int> sizes(20, 1);
  sizes[7] = 1000;
  const auto outcomes = pool.map_outcomes(
      [](int size) {
        return take_and_free(static_cast<std::size_t>(size) * piece) != 0 ? size : 0;
      },
      sizes);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    EXPECT_EQ(outcomes[i].has_value(), i != 7) << i;
  }
  try {
    std::rethrow_exception(outcomes[7].error());
  } catch (const std::bad_alloc&) {
  } catch (const MemoryLimitExceeded& death) {
    EXPECT_EQ(death.index(), 7U);
  }
}

TEST_P(MemoryLimit, is_beyond_what_the_worker_was_born_with) {
  PoolOptions preloaded = limited();
  preloaded.preload = task([] { keep(100 * piece); });
  Pool pool(preloaded);
  const auto loaded = pool.apply([] {
    take_and_free(48 * piece);
    return hoard().size();
  });
  EXPECT_EQ(loaded, 1U);
}

TEST_P(MemoryLimit, met_by_code_that_may_not_throw_is_told) {
  Pool pool(limited());
  expect_death_of_the_limit(pool, grow_in_noexcept);
}

TEST_P(MemoryLimit, met_by_code_that_aborts_is_told) {
  Pool pool(limited());
  expect_death_of_the_limit(pool, grow_and_abort);
}

TEST_P(MemoryLimit, met_by_code_that_exits_is_told) {
  Pool pool(limited());
  expect_death_of_the_limit(pool, grow_and_exit);
}

TEST_P(MemoryLimit, met_by_code_that_does_not_look_is_told) {
  Pool pool(limited());
  expect_death_of_the_limit(pool, grow_and_use_null);
  expect_death_of_the_limit(pool, grow_and_use_a_failed_mapping);
}

TEST_P(MemoryLimit, is_not_blamed_for_a_crash_with_memory_to_spare) {
  Pool pool(limited());
  const auto expect_plain_crash = [&](void (*task)()) {
    try {
      pool.apply(task);
      ADD_FAILURE() << "it came back";
    } catch (const MemoryLimitExceeded& wrong) {
      ADD_FAILURE() << wrong.what();
    } catch (const WorkerCrashed& right) {
      EXPECT_THAT(right.what(), ::testing::Not(HasSubstr("memory_limit")));
    }
  };
  expect_plain_crash([] { std::abort(); });
  expect_plain_crash([] { std::exit(3); });
  expect_plain_crash([] { *static_cast<volatile char*>(nullptr) = 1; });
  expect_plain_crash([] {
    keep(62 * piece);
    *reinterpret_cast<volatile char*>(std::uintptr_t{1} << 40) = 1;
  });
  expect_plain_crash([] { ::raise(SIGKILL); });
}

TEST_P(MemoryLimit, is_retried_as_any_crash) {
  Pool pool(limited());
  auto twice = pool.apply_async({.retries = 1}, grow_in_noexcept);
  EXPECT_THROW(twice.get(), MemoryLimitExceeded);
  EXPECT_EQ(pool.stats().crashed, 2U);
}

// Twenty tasks that each leave 10 MiB behind would pass 64 MiB three times.
TEST_P(MemoryLimit, replaces_a_worker_between_tasks_before_what_they_leave_fails_one) {
  Pool pool(limited());
  std::set<int> workers;
  for (int i = 0; i < 20; ++i) workers.insert(pool.apply(keep, 10 * piece));
  EXPECT_GE(workers.size(), 4U);
  EXPECT_EQ(pool.stats().crashed, 0U);
  EXPECT_EQ(pool.stats().failed, 0U);
}

TEST_P(MemoryLimit, keeps_a_worker_whose_initializer_has_used_most_of_it) {
  PoolOptions loaded = limited();
  loaded.initializer = task([] { keep(40 * piece); });
  Pool pool(loaded);
  std::set<int> workers;
  for (int i = 0; i < 10; ++i) workers.insert(pool.apply(take_and_free, 10 * piece));
  EXPECT_EQ(workers.size(), 1U);
}

TEST_P(MemoryLimit, replaces_a_worker_between_the_items_of_a_chunk) {
  Pool pool(limited());
  std::vector<int> items(200);
  std::iota(items.begin(), items.end(), 0);
  const auto done = pool.map(
      [](int i) {
        keep(piece);
        return i;
      },
      items, 200);
  EXPECT_EQ(done, items);
  EXPECT_EQ(pool.stats().crashed, 0U);
  EXPECT_GE(pool.stats().respawned, 3U);
}

TEST_P(MemoryLimit, keeps_a_worker_whose_tasks_give_back_what_they_took) {
  Pool pool(limited());
  std::set<int> workers;
  for (int i = 0; i < 20; ++i) {
    workers.insert(pool.apply(take_and_free, 48 * piece));
    // In pieces that malloc keeps for itself.
    workers.insert(pool.apply([] {
      std::vector<std::vector<char>> many;
      for (int n = 0; n < 480; ++n) many.emplace_back(100'000, 'x');
      return static_cast<int>(::getpid());
    }));
  }
  EXPECT_EQ(workers.size(), 1U);
}

TEST_P(MemoryLimit, leaves_a_deadline_as_it_is) {
  Pool pool(limited());
  const auto outcomes = pool.map_outcomes(
      {.chunksize = 8, .timeout = 500ms},
      [](int i) {
        keep(10 * piece);
        if (i == 3) ::pause();
        return i;
      },
      std::vector{0, 1, 2, 3, 4, 5, 6, 7});
  for (std::size_t i = 0; i < outcomes.size(); ++i) EXPECT_EQ(outcomes[i].has_value(), i != 3) << i;
  EXPECT_THROW(std::rethrow_exception(outcomes[3].error()), TaskTimeout);
}

TEST_P(MemoryLimit, of_a_pool_in_a_task_travels_with_its_error) {
  Pool pool(limited(1, 256 * MiB));
  try {
    pool.apply([] {
      Pool inner{{.processes = 1, .memory_limit = limit}};
      inner.apply(grow_in_noexcept);
    });
    ADD_FAILURE() << "it came back";
  } catch (const MemoryLimitExceeded& death) {
    EXPECT_EQ(death.limit(), limit);
    EXPECT_GE(death.peak(), limit - limit / 8);
    EXPECT_EQ(death.task_name(), "brood::testing::grow_in_noexcept()");
  }
}

TEST_P(MemoryLimit, passed_by_the_initializer_breaks_the_pool_and_is_named) {
  PoolOptions greedy = limited();
  greedy.initializer = task(grow_for_ever);
  EXPECT_THAT(message_of([&] { Pool(greedy).apply([] { return 1; }); }),
              HasSubstr("memory_limit of 64 MiB"));
  greedy.initializer = task([] { grow_in_noexcept(); });
  EXPECT_THAT(message_of([&] { Pool(greedy).apply([] { return 1; }); }),
              HasSubstr("memory_limit of 64 MiB"));
}

TEST_P(MemoryLimit, without_sense_is_refused_with_the_least_that_works) {
  for (const std::int64_t wrong : {std::int64_t{0}, std::int64_t{-1}}) {
    PoolOptions bad = options(1);
    bad.memory_limit = wrong;
    EXPECT_THROW(Pool{bad}, ValueError);
  }
  const std::string refusal = message_of([&] { Pool pool(limited(1, 512)); });
  EXPECT_THAT(refusal, HasSubstr("cannot use memory_limit = 512: "));
  EXPECT_THAT(refusal, HasSubstr("4194304 (4 MiB)"));
  EXPECT_THROW(Pool{limited(1, 4194303)}, ValueError);
  Pool least(limited(2, 4194304));
  EXPECT_EQ(least.map([](int x) { return x * x; }, {1, 2, 3}), (std::vector{1, 4, 9}));
}

TEST(a_memory_limit, has_no_place_among_threads) {
  EXPECT_THROW((Pool{{.processes = 1, .context = Context::thread, .memory_limit = limit}}),
               ValueError);
}

TEST(a_kill, without_a_limit_says_what_is_known_of_the_killer) {
  Pool pool{{.processes = 1}};
  // The supervisor has looked at the kernel's counts by then.
  pool.apply([] {});
  EXPECT_THROW(pool.apply([] { std::abort(); }), WorkerCrashed);
  // Another program's process may be out of memory meanwhile.
  EXPECT_THAT(
      message_of([&] { pool.apply([] { ::raise(SIGKILL); }); }),
      AnyOf(HasSubstr("not by the kernel, out of memory, as the counts of this machine have "
                      "it, so by itself or another process"),
            HasSubstr("by the kernel, out of memory, or by another process")));
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
