// SPDX-License-Identifier: MIT
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <brood/brood.hpp>

// What may travel, as a user's program sends it.

namespace brood::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The line of /proc/self/maps that the address is in.
std::string mapping_at(const void* place) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(place);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx", &begin, &end) != 2) continue;
    if (wanted >= begin && wanted < end) return line;
  }
  return {};
}

long private_kilobytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("RssAnon:", 0) == 0) return std::stol(line.substr(8));
  }
  return -1;
}

std::string place_of_numbers(std::span<const int> numbers) { return mapping_at(numbers.data()); }
std::string place_of_text(std::string_view text) { return mapping_at(text.data()); }

// How much more memory of its own a worker has after it has read all of it.
long cost_of_reading(std::span<const char> text) {
  const long before = private_kilobytes();
  long sum = 0;
  for (const char each : text) sum += each;
  const volatile long kept = sum;
  static_cast<void>(kept);
  return private_kilobytes() - before;
}

TEST(travel, closures_with_captures_go_through_every_kind_of_map) {
  Pool pool{2};
  int more = 10;
  const auto add = [more](int x) { return x + more; };
  const std::vector<int> items{1, 2};
  EXPECT_THAT(pool.map([more](int x) { return x + more; }, {1, 2}), ElementsAre(11, 12));
  EXPECT_THAT(pool.map(add, items), ElementsAre(11, 12));
  EXPECT_THAT(pool.map(values(add), items), ElementsAre(11, 12));
  EXPECT_THAT(pool.map_async(add, items).get(), ElementsAre(11, 12));
  EXPECT_EQ(*pool.map_outcomes(add, items).at(1), 12);
  const std::vector tuples{std::tuple{1, 2}, std::tuple{3, 4}};
  EXPECT_THAT(pool.starmap([more](int x, int y) { return x + y + more; }, tuples),
              ElementsAre(13, 17));
  int sum = 0;
  for (const int result : pool.imap(add, items)) sum += result;
  for (const int result : pool.imap_unordered(add, items)) sum += result;
  EXPECT_EQ(sum, 46);
}

// Whoever asks changes what some compilers say of the closure afterwards.
TEST(travel, a_closure_goes_though_it_was_asked_whether_it_can_be_assigned) {
  Pool pool{1};
  long more = 10;
  const auto add = [more](long x) { return x + more; };
  static_assert(!std::is_copy_assignable_v<decltype(add)>);
  const std::optional kept(add);
  EXPECT_EQ(pool.apply(add, 1L), 11);
  EXPECT_EQ(pool.apply(*kept, 2L), 12);
  EXPECT_THAT(pool.map(add, std::vector<long>{1}), ElementsAre(11));
  const long* const pointer = &more;
  const auto stray = [pointer] { return *pointer; };
  static_assert(!std::is_copy_assignable_v<decltype(stray)>);
  EXPECT_THROW(pool.apply(stray), ShipError);
}

TEST(travel, a_pointer_in_a_closure_is_refused_where_the_call_is_made) {
  Pool pool{1};
  int number = 3;
  const auto stray = [&number](int x) { return x + number; };
  const std::vector<int> items{1, 2};
  EXPECT_THROW(pool.apply(stray, 1), ShipError);
  EXPECT_THROW(pool.apply_async(stray, 1), ShipError);
  EXPECT_THROW(pool.map(stray, items), ShipError);
  EXPECT_THROW(pool.map_async(stray, items), ShipError);
  EXPECT_THROW(pool.imap(stray, items), ShipError);
  EXPECT_THROW(pool.imap_unordered(stray, items), ShipError);
  EXPECT_THROW(pool.apply(task(stray, 1)), ShipError);
  EXPECT_THROW(pool.imap(local(stray), items), ShipError);
}

TEST(travel, spans_and_string_views_are_read_in_place_whatever_their_size) {
  Pool pool{1};
  for (const std::size_t size : {10u, 100'000u, 3u << 20}) {
    EXPECT_THAT(pool.apply(place_of_numbers, std::vector<int>(size, 1)), HasSubstr("memfd:brood"));
    EXPECT_THAT(pool.apply(place_of_text, std::string(size, 'x')), HasSubstr("memfd:brood"));
    const std::vector<std::vector<int>> items{std::vector<int>(size, 1), {1}};
    for (const auto& place : pool.map(place_of_numbers, items)) {
      EXPECT_THAT(place, HasSubstr("memfd:brood"));
    }
  }
}

TEST(travel, more_than_a_hundred_mebibytes_cost_their_reader_nothing) {
  Pool pool{1};
  const std::vector<char> much(std::size_t{104} << 20, 'a');
  EXPECT_LT(pool.apply(cost_of_reading, much), 16 * 1024);
}

TEST(travel, what_cannot_be_copied_can_be_shared) {
  Pool pool{1};
  const auto shared = share(std::make_unique<std::string>("only one"));
  EXPECT_EQ(**shared, "only one");
  EXPECT_EQ(pool.apply([](const std::unique_ptr<std::string>& text) { return *text; }, shared),
            "only one");
}

struct Truth {
  int number;
  bool is_true;
};

Truth neither(int number) {
  Truth made{number, false};
  const unsigned char bits = 7;
  std::memcpy(&made.is_true, &bits, sizeof bits);
  return made;
}

TEST(travel, a_truth_value_that_is_neither_is_an_error_of_its_task) {
  Pool pool{1};
  EXPECT_THROW(pool.apply(neither, 1), ShipError);
  EXPECT_THROW(pool.map(neither, {1, 2, 3}), ShipError);
}

}  // namespace
}  // namespace brood::testing
