// SPDX-License-Identifier: MIT
#include <brood/base/count.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include <gtest/gtest.h>

namespace brood {
namespace {

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();

TEST(count, is_not_given_by_default) { EXPECT_FALSE(Count{}.given()); }

TEST(count, is_given_once_a_number_is_there_even_zero) {
  EXPECT_TRUE(Count{0}.given());
  EXPECT_EQ(Count{0}.number(), 0);
}

TEST(count, takes_every_integral_type) {
  EXPECT_EQ(Count{short{3}}.number(), 3);
  EXPECT_EQ(Count{3U}.number(), 3);
  EXPECT_EQ(Count{std::size_t{3}}.number(), 3);
  EXPECT_EQ(Count{std::uint8_t{255}}.number(), 255);
  EXPECT_EQ(Count{'\x03'}.number(), 3);
}

TEST(count, keeps_a_negative_number_for_its_taker_to_refuse) {
  EXPECT_EQ(Count{-1}.number(), -1);
  EXPECT_EQ(Count{least}.number(), least);
}

TEST(count, saturates_what_is_beyond_64_signed_bits) {
  EXPECT_EQ(Count{std::numeric_limits<std::uint64_t>::max()}.number(), most);
  EXPECT_EQ(Count{static_cast<std::uint64_t>(most) + 1}.number(), most);
  EXPECT_EQ(Count{static_cast<std::uint64_t>(most)}.number(), most);
}

TEST(count, converts_implicitly_in_a_designated_field) {
  struct Options {
    Count processes{};
  };
  const std::size_t n = 4;
  const Options options{.processes = n};
  EXPECT_EQ(options.processes.number(), 4);
}

TEST(count, refuses_truth_values_and_fractions) {
  EXPECT_FALSE((std::is_convertible_v<bool, Count>));
  EXPECT_FALSE((std::is_convertible_v<double, Count>));
}

TEST(count, has_binary_units_for_bytes) {
  EXPECT_EQ(512 * MiB, std::uint64_t{1} << 29);
  EXPECT_EQ(GiB / KiB, MiB);
}

}  // namespace
}  // namespace brood
