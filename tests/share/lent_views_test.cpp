// SPDX-License-Identifier: MIT
//
// The memory of a View is used again by the worker that made it, once nobody reads it; and
// never before. Whether it is used again depends on time (an idle worker gives it back), so
// tests wait for that, and check what must hold each time.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <brood/brood.hpp>

#include "pool/contexts.hpp"
#include "share/views.hpp"

namespace brood::testing {
namespace {

using Numbers = View<std::uint64_t>;

// Where the task filled it, as a number among this kernel's memory.
struct Made {
  Numbers numbers;
  std::string memory;
};
Made make_here(std::uint64_t first) {
  Made made{count_many_from(first), ""};
  made.memory = number_of_memory_at(made.numbers.data());
  return made;
}

class LentViews : public Processes {
 protected:
  // Until one lies where an earlier one lay, of those that `make` makes and that are let go of.
  template <typename Make>
  static Made until_used_again(const Make& make) {
    for (std::string before;;) {
      Made made = make();
      if (made.memory == before) return made;
      before = made.memory;
    }
  }
  // So many more, which are let go of at once: each finds what is free.
  static void make_more(Pool& pool, std::uint64_t first = 1'000'000) {
    for (std::uint64_t i = 0; i < 20; ++i) {
      EXPECT_TRUE(counts_from(pool.apply(count_many_from, first + i), first + i, many));
    }
  }
};

TEST_P(LentViews, lie_where_those_lay_that_nobody_reads_any_more) {
  Pool pool = make_pool(1);
  std::uint64_t first = 0;
  const Made again = until_used_again([&] { return pool.apply(make_here, ++first); });
  EXPECT_TRUE(counts_from(again.numbers, first, many));
  EXPECT_EQ(number_of_memory_at(again.numbers.data()), again.memory);
}

TEST_P(LentViews, do_not_change_while_somebody_holds_them) {
  Pool pool = make_pool(2);
  std::vector<Numbers> held;
  for (std::uint64_t first = 0; first < 12; ++first) {
    held.push_back(pool.apply(count_many_from, first));
    make_more(pool);
  }
  for (std::uint64_t first = 0; first < held.size(); ++first) {
    EXPECT_TRUE(counts_from(held[first], first, many));
  }
}

TEST_P(LentViews, of_a_map_do_not_change_while_its_results_are_held) {
  Pool pool = make_pool(2);
  std::vector<std::uint64_t> firsts{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  for (int round = 0; round < 3; ++round) {
    const auto all = pool.map(count_many_from, firsts, 4);
    make_more(pool);
    for (std::size_t i = 0; i < all.size(); ++i) {
      EXPECT_TRUE(counts_from(all[i], firsts[i], many));
    }
  }
}

TEST_P(LentViews, are_zeros_at_first_also_where_others_lay) {
  Pool pool = make_pool(1);
  const auto count_zeros = [](std::size_t size) {
    std::uint64_t zeros = 0;
    auto made = Numbers::make(size, [&](std::span<std::uint64_t> out) {
      zeros = static_cast<std::uint64_t>(std::ranges::count(out, 0U));
      std::ranges::fill(out, 7U);
    });
    return std::pair(zeros, Made{made, number_of_memory_at(made.data())});
  };
  until_used_again([&] {
    auto [zeros, made] = pool.apply(count_zeros, many);
    EXPECT_EQ(zeros, many);
    return std::move(made);
  });
}

TEST_P(LentViews, for_overwriting_are_what_was_written) {
  Pool pool = make_pool(1);
  const auto make_one = [](std::uint64_t first) {
    auto made = Numbers::make_for_overwrite(
        many, [&](std::span<std::uint64_t> out) { std::iota(out.begin(), out.end(), first); });
    return Made{made, number_of_memory_at(made.data())};
  };
  std::uint64_t first = 0;
  const Made again = until_used_again([&] { return pool.apply(make_one, ++first); });
  EXPECT_TRUE(counts_from(again.numbers, first, many));
  const auto here = Numbers::make_for_overwrite(3, [](auto out) { std::ranges::fill(out, 5U); });
  EXPECT_EQ(here, Numbers(std::vector<std::uint64_t>(3, 5)));
}

TEST_P(LentViews, of_other_sizes_share_the_memory) {
  Pool pool = make_pool(1);
  const auto make_one = [](std::size_t size) {
    auto made = count_from(size, size);
    return Made{made, number_of_memory_at(made.data())};
  };
  std::size_t size = 2 * many;
  const Made again = until_used_again([&] { return pool.apply(make_one, size -= 1000); });
  EXPECT_TRUE(counts_from(again.numbers, size, size));
}

TEST_P(LentViews, of_vectors_are_used_again_too) {
  Pool pool = make_pool(1);
  const auto make_one = [](std::uint64_t value) {
    return Numbers(std::vector<std::uint64_t>(many, value));
  };
  std::uint64_t value = 0;
  until_used_again([&] {
    auto made = pool.apply(make_one, ++value);
    EXPECT_EQ(made, Numbers(std::vector<std::uint64_t>(many, value)));
    const std::string memory = number_of_memory_at(made.data());
    return Made{std::move(made), memory};
  });
}

TEST_P(LentViews, that_could_not_be_filled_are_used_again) {
  Pool pool = make_pool(1);
  for (int i = 0; i < 10; ++i) {
    EXPECT_THROW(pool.apply([] {
      return Numbers::make(many, [](auto) { throw std::runtime_error("no"); });
    }),
                 std::runtime_error);
  }
  make_more(pool);
}

TEST_P(LentViews, that_a_copy_of_the_program_holds_do_not_change) {
  Pool pool = make_pool(1);
  std::optional<Numbers> held = pool.apply(count_many_from, 3);
  std::array<int, 2> go{};
  ASSERT_EQ(::pipe(go.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(go[1]);
    char byte = 0;
    [[maybe_unused]] const auto got = ::read(go[0], &byte, 1);
    ::_exit(counts_from(*held, 3, many) ? 0 : 1);
  }
  ::close(go[0]);
  held.reset();
  make_more(pool);
  ::close(go[1]);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_P(LentViews, that_a_copy_lets_go_of_do_not_change_here) {
  Pool pool = make_pool(1);
  std::optional<Numbers> held = pool.apply(count_many_from, 3);
  const pid_t child = ::fork();
  if (child == 0) {
    held.reset();
    ::_exit(0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  make_more(pool);
  EXPECT_TRUE(counts_from(*held, 3, many));
}

std::optional<Numbers> kept;
void keep(Numbers numbers) { kept = std::move(numbers); }
bool is_kept(std::uint64_t first) { return counts_from(*kept, first, many); }

TEST_P(LentViews, that_another_worker_holds_do_not_change) {
  Pool pool = make_pool(1);
  Pool other = make_pool(1);
  other.apply(keep, pool.apply(count_many_from, 4));
  make_more(pool);
  EXPECT_TRUE(other.apply(is_kept, 4U));
}

TEST_P(LentViews, that_the_same_worker_got_back_do_not_change) {
  Pool pool = make_pool(1);
  pool.apply(keep, pool.apply(count_many_from, 4));
  make_more(pool);
  EXPECT_TRUE(pool.apply(is_kept, 4U));
}

TEST_P(LentViews, that_the_worker_itself_holds_do_not_change) {
  Pool pool = make_pool(1);
  const auto make_and_keep = [](std::uint64_t first) {
    kept = count_many_from(first);
    return *kept;
  };
  EXPECT_TRUE(counts_from(pool.apply(make_and_keep, 5U), 5, many));
  make_more(pool);
  EXPECT_TRUE(pool.apply(is_kept, 5U));
  // Lent a second time: nobody knows how often it has to come back.
  pool.apply(make_and_keep, 5U);
  auto once = pool.apply([] { return *kept; });
  const auto twice = pool.apply([] { return std::exchange(kept, {}).value(); });
  once = {};
  make_more(pool);
  EXPECT_TRUE(counts_from(twice, 5, many));
}

TEST_P(LentViews, that_a_tasks_own_child_holds_do_not_change) {
  Pool pool = make_pool(1);
  auto [view, child, end] = pool.apply([] {
    auto made = count_many_from(6);
    std::array<int, 2> go{};
    if (::pipe(go.data()) != 0) throw std::runtime_error("no pipe");
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::close(go[1]);
      char byte = 0;
      [[maybe_unused]] const auto got = ::read(go[0], &byte, 1);
      ::_exit(counts_from(made, 6, many) ? 0 : 1);
    }
    ::close(go[0]);
    return std::tuple(std::move(made), static_cast<int>(pid), go[1]);
  });
  EXPECT_TRUE(counts_from(view, 6, many));
  view = {};
  make_more(pool);
  const int status = pool.apply(
      [](int pid, int fd) {
        ::close(fd);
        int its = -1;
        ::waitpid(pid, &its, 0);
        return its;
      },
      child, end);
  EXPECT_EQ(status, 0);
}

TEST_P(LentViews, that_go_through_a_worker_do_not_change) {
  Pool pool = make_pool(1);
  const auto through = [](std::uint64_t first) {
    static Pool inner{{.processes = 1}};
    const auto view = inner.apply(count_many_from, first);
    return view;
  };
  const auto held = pool.apply(through, 7U);
  for (std::uint64_t first = 100; first < 120; ++first) {
    EXPECT_TRUE(counts_from(pool.apply(through, first), first, many));
  }
  EXPECT_TRUE(counts_from(held, 7, many));
}

TEST_P(LentViews, can_not_be_written_to_by_the_worker_any_more) {
  Pool pool = make_pool(1);
  const auto made = pool.apply([] {
    kept = count_many_from(8);
    return *kept;
  });
  EXPECT_THROW(pool.apply([] { const_cast<std::uint64_t&>((*kept)[0]) = 9; }), WorkerCrashed);
  EXPECT_TRUE(counts_from(made, 8, many));
}

TEST_P(LentViews, outlive_the_pool_and_leave_nothing_behind) {
  std::vector<Numbers> held;
  {
    Pool pool = make_pool(2);
    for (std::uint64_t first = 0; first < 6; ++first) {
      held.push_back(pool.apply(count_many_from, first));
      make_more(pool);
    }
  }
  for (std::uint64_t first = 0; first < held.size(); ++first) {
    EXPECT_TRUE(counts_from(held[first], first, many));
  }
  held.clear();
  EXPECT_EQ(mapped(), 0);
  EXPECT_EQ(descriptors(), 0);
}

TEST_P(LentViews, are_given_back_to_the_kernel_when_the_pool_is_idle) {
  Pool pool = make_pool(1);
  make_more(pool);
  const std::string worker =
      std::to_string(pool.apply([] { return static_cast<int>(::getpid()); }));
  while (mapped() != 0 || descriptors() != 0) std::this_thread::yield();
  while (mapped(worker) != 0) std::this_thread::yield();
}

INSTANTIATE_TEST_SUITE_P(contexts, LentViews, every_process, name_of);

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
