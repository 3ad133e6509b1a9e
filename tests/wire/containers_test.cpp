// SPDX-License-Identifier: MIT
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <forward_list>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "wire/round_trip.hpp"

// For any elements, what arrives equals what was sent. The elements are arbitrary
// vectors, and the containers are made of them: RapidCheck is dear to compile.
namespace brood::wire {
namespace {

template <typename Container, typename Elements>
void arrives(const Elements& elements) {
  const Container container(elements.begin(), elements.end());
  RC_ASSERT(sent(container) == container);
}

RC_GTEST_PROP(containers, of_strings_arrive, (const std::vector<std::string>& elements)) {
  arrives<std::vector<std::string>>(elements);
  arrives<std::deque<std::string>>(elements);
  arrives<std::list<std::string>>(elements);
  arrives<std::forward_list<std::string>>(elements);
  arrives<std::set<std::string>>(elements);
  arrives<std::multiset<std::string>>(elements);
  arrives<std::unordered_set<std::string>>(elements);
  arrives<std::unordered_multiset<std::string>>(elements);
  std::vector<std::vector<char>> letters;
  for (const std::string& each : elements) letters.emplace_back(each.begin(), each.end());
  RC_ASSERT(sent(letters) == letters);
}

RC_GTEST_PROP(containers, of_numbers_arrive, (const std::vector<std::int16_t>& elements)) {
  arrives<std::vector<std::int16_t>>(elements);
  arrives<std::vector<double>>(elements);
  arrives<std::deque<std::int64_t>>(elements);
  arrives<std::list<float>>(elements);
  arrives<std::set<int>>(elements);
  arrives<std::unordered_multiset<int>>(elements);
  std::vector<bool> bits;
  for (const int element : elements) bits.push_back(element % 2 == 0);
  RC_ASSERT(sent(bits) == bits);
}

RC_GTEST_PROP(containers, of_pairs_arrive,
              (const std::vector<std::pair<std::string, int>>& elements)) {
  arrives<std::vector<std::pair<std::string, int>>>(elements);
  arrives<std::map<std::string, int>>(elements);
  arrives<std::multimap<std::string, int>>(elements);
  arrives<std::unordered_map<std::string, int>>(elements);
  arrives<std::unordered_multimap<std::string, int>>(elements);
  std::map<std::string, std::vector<std::optional<int>>> nested;
  for (const auto& [name, number] : elements) {
    nested[name].push_back(number == 0 ? std::nullopt : std::optional(number));
  }
  RC_ASSERT(sent(nested) == nested);
}

// What follows a container is found again, whatever its length and alignment.
RC_GTEST_PROP(containers, several_in_one_message_arrive, (const std::string& text)) {
  const std::vector<double> numbers(text.begin(), text.end());
  Buffer out;
  encode(out, text);
  encode(out, numbers);
  encode(out, text);
  Reader in(out.view());
  RC_ASSERT(decode<std::string>(in) == text);
  RC_ASSERT(decode<std::vector<double>>(in) == numbers);
  RC_ASSERT(decode<std::string>(in) == text);
  RC_ASSERT(in.at_end());
}

TEST(containers, of_moved_only_elements_arrive) {
  std::vector<std::unique_ptr<int>> owners;
  owners.push_back(std::make_unique<int>(1));
  owners.push_back(nullptr);
  const auto arrived = sent(owners);
  ASSERT_EQ(arrived.size(), 2U);
  EXPECT_EQ(*arrived[0], 1);
  EXPECT_EQ(arrived[1], nullptr);

  std::map<std::string, std::unique_ptr<int>> named;
  named["two"] = std::make_unique<int>(2);
  EXPECT_EQ(*sent(named).at("two"), 2);
}

TEST(containers, of_no_elements_and_of_empty_elements_arrive) {
  EXPECT_EQ((sent(std::array<int, 0>())), (std::array<int, 0>()));
  EXPECT_EQ((sent(std::array<std::string, 0>())), (std::array<std::string, 0>()));
  EXPECT_EQ(sent(std::vector<std::tuple<>>(5)).size(), 5U);
}

TEST(containers, arrays_too_long_to_spell_out_arrive) {
  std::array<std::string, 100> many;
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = std::to_string(i);
  EXPECT_EQ(sent(many), many);
}

TEST(containers, with_other_allocators_arrive) {
  std::pmr::vector<std::pmr::string> names;
  names.emplace_back("a name that does not fit into the string object itself");
  EXPECT_EQ(sent(names), names);
}

TEST(containers, with_other_orders_arrive) {
  const std::set<int, std::greater<>> falling{1, 2, 3};
  EXPECT_EQ(*sent(falling).begin(), 3);
}

}  // namespace
}  // namespace brood::wire
