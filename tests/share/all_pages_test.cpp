// SPDX-License-Identifier: MIT
//
// More than 32 bits can count, and every page of it written and read.
#include <algorithm>
#include <cstdint>
#include <fstream>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <brood/brood.hpp>

#include "pool/contexts.hpp"

namespace brood::testing {
namespace {

constexpr std::size_t gibibyte = std::size_t{1} << 30;
constexpr std::size_t size = (4 * gibibyte + gibibyte / 4) / sizeof(std::uint64_t);
constexpr std::size_t parts = 8;

// In bytes; of this machine.
std::size_t available_memory() {
  std::ifstream from("/proc/meminfo");
  std::size_t amount = 0;
  for (std::string word; from >> word;) {
    if (word == "MemAvailable:" && from >> amount) break;
  }
  return amount * 1024;
}

// No two pages are alike.
void fill(std::span<std::uint64_t> all) { std::iota(all.begin(), all.end(), std::uint64_t{1}); }
std::uint64_t right_sum(std::size_t first, std::size_t count) {
  return count * (2 * first + count + 1) / 2;
}

std::uint64_t sum_of_part(std::span<const std::uint64_t> all, std::size_t part) {
  const auto mine = all.subspan(part * (size / parts), size / parts);
  return std::accumulate(mine.begin(), mine.end(), std::uint64_t{0});
}

template <typename Numbers>
void expect_all_of(Pool& pool, const Numbers& numbers) {
  for (std::size_t part = 0; part < parts; ++part) {
    EXPECT_EQ(pool.apply(sum_of_part, numbers, part),
              right_sum(part * (size / parts), size / parts))
        << part;
  }
}

class AllPages : public ::testing::Test {
 protected:
  void need(std::size_t times) {
    const std::size_t needed = times * size * sizeof(std::uint64_t) + gibibyte;
    if (available_memory() >= needed) return;
    throw std::runtime_error("needs " + std::to_string(needed / gibibyte) + " GiB of memory");
  }
  Pool pool{2};
};

TEST_F(AllPages, of_shared_memory_are_read_in_place) {
  need(1);
  const shared_vector<std::uint64_t> numbers(size, fill);
  expect_all_of(pool, numbers);
}

TEST_F(AllPages, of_a_view_come_back) {
  need(1);
  const auto numbers =
      pool.apply([] { return View<std::uint64_t>::make(size, [](auto all) { fill(all); }); });
  ASSERT_EQ(numbers.size(), size);
  for (std::size_t part = 0; part < parts; ++part) {
    EXPECT_EQ(sum_of_part(numbers, part), right_sum(part * (size / parts), size / parts)) << part;
  }
}

TEST_F(AllPages, of_an_argument_arrive) {
  need(2);
  std::vector<std::uint64_t> numbers(size);
  fill(numbers);
  for (const std::size_t part : {std::size_t{0}, parts - 1}) {
    EXPECT_EQ(pool.apply(sum_of_part, numbers, part),
              right_sum(part * (size / parts), size / parts));
  }
}

TEST_F(AllPages, of_a_result_come_back) {
  need(4);
  const auto numbers = pool.apply([] {
    std::vector<std::uint64_t> made(size);
    fill(made);
    return made;
  });
  ASSERT_EQ(numbers.size(), size);
  for (std::size_t part = 0; part < parts; ++part) {
    EXPECT_EQ(sum_of_part(numbers, part), right_sum(part * (size / parts), size / parts)) << part;
  }
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
