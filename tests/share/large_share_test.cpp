// SPDX-License-Identifier: MIT
//
// More than 32 bits can count. The memory is sparse: only what is written costs.
#include <cstdint>
#include <span>

#include <gtest/gtest.h>

#include <brood/brood.hpp>

#include "pool/contexts.hpp"

namespace brood::testing {
namespace {

constexpr std::size_t size = (std::size_t{5} << 30) / sizeof(std::uint64_t);

TEST(LargeShare, of_five_gibibytes_costs_a_task_nothing) {
  const shared_vector<std::uint64_t> numbers(size, [](std::span<std::uint64_t> all) {
    all.front() = 1;
    all.back() = 2;
  });
  Pool pool{2};
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(pool.apply(
                  [](std::span<const std::uint64_t> all) {
                    return all.size() + all.front() + all.back();
                  },
                  numbers),
              size + 3);
  }
}

TEST(LargeView, of_five_gibibytes_comes_back_without_a_copy) {
  Pool pool{1};
  const View<std::uint64_t> numbers = pool.apply([] {
    return View<std::uint64_t>::make(size, [](std::span<std::uint64_t> all) {
      all.front() = 1;
      all.back() = 2;
    });
  });
  ASSERT_EQ(numbers.size(), size);
  EXPECT_EQ(numbers[0], 1u);
  EXPECT_EQ(numbers[size / 2], 0u);
  EXPECT_EQ(numbers[size - 1], 2u);
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
