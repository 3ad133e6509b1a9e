// SPDX-License-Identifier: MIT
#include <brood/wire/transport.hpp>

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <brood/base/error.hpp>

namespace brood::wire {
namespace {

using testing::ElementsAre;

template <typename T, typename Shipped>
constexpr bool travels_as = std::is_same_v<transport_t<T>, Shipped>;

TEST(transport, values_travel_as_themselves) {
  EXPECT_TRUE((travels_as<int, int>));
  EXPECT_TRUE((travels_as<const int&, int>));
  EXPECT_TRUE((travels_as<std::vector<int>&&, std::vector<int>>));
  EXPECT_TRUE((travels_as<std::array<int, 3>&, std::array<int, 3>>));
  EXPECT_EQ(to_transport(3), 3);
}

TEST(transport, text_of_any_kind_travels_as_a_string) {
  EXPECT_TRUE((travels_as<const char(&)[4], std::string>));
  EXPECT_TRUE((travels_as<const char*, std::string>));
  EXPECT_TRUE((travels_as<char* const&, std::string>));
  EXPECT_TRUE((travels_as<std::string_view, std::string>));
  EXPECT_TRUE((travels_as<const wchar_t*, std::wstring>));
  EXPECT_TRUE((travels_as<decltype(u8"x"), std::u8string>));
  EXPECT_EQ(to_transport("literal"), "literal");
  const char* pointer = "pointer";
  EXPECT_EQ(to_transport(pointer), "pointer");
  EXPECT_EQ(to_transport(std::string_view("view").substr(1)), "iew");
}

TEST(transport, a_char_array_travels_up_to_its_zero_and_not_past_its_end) {
  char terminated[8] = "abc";
  EXPECT_EQ(to_transport(terminated), "abc");
  const char full[3] = {'a', 'b', 'c'};
  EXPECT_EQ(to_transport(full), "abc");
}

TEST(transport, a_null_string_is_a_value_error) {
  const char* nothing = nullptr;
  EXPECT_THROW(to_transport(nothing), ValueError);
}

TEST(transport, spans_and_c_arrays_travel_as_vectors) {
  EXPECT_TRUE((travels_as<std::span<const int>, std::vector<int>>));
  EXPECT_TRUE((travels_as<std::span<double, 3>, std::vector<double>>));
  EXPECT_TRUE((travels_as<const int(&)[3], std::vector<int>>));
  EXPECT_TRUE((travels_as<unsigned char(&)[2], std::vector<unsigned char>>));
  int numbers[] = {1, 2, 3};
  EXPECT_THAT(to_transport(numbers), ElementsAre(1, 2, 3));
  EXPECT_THAT(to_transport(std::span<const int>(numbers).first(2)), ElementsAre(1, 2));
  const std::string words[] = {"a", "b"};
  EXPECT_THAT(to_transport(words), ElementsAre("a", "b"));
}

TEST(transport, elements_of_a_given_up_array_are_moved) {
  std::unique_ptr<int> owners[] = {std::make_unique<int>(1)};
  const auto shipped = to_transport(std::move(owners));
  EXPECT_EQ(*shipped[0], 1);
}

TEST(transport, an_element_of_a_vector_of_bools_travels_as_a_bool) {
  std::vector<bool> bits{true, false};
  EXPECT_TRUE((travels_as<decltype(bits[0]), bool>));
  EXPECT_TRUE(to_transport(bits[0]));
}

TEST(transport, values_given_up_are_moved) {
  auto owner = std::make_unique<int>(4);
  const int* before = owner.get();
  EXPECT_EQ(to_transport(std::move(owner)).get(), before);
  std::string text(100, 'x');
  const char* bytes = text.data();
  EXPECT_EQ(to_transport(std::move(text)).data(), bytes);
}

TEST(transport, pointers_and_functions_stay_pointers_to_be_refused) {
  EXPECT_TRUE((travels_as<int*, int*>));
  EXPECT_TRUE((travels_as<void(int), void (*)(int)>));
}

}  // namespace
}  // namespace brood::wire
