// SPDX-License-Identifier: MIT
#include <array>
#include <bitset>
#include <chrono>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <queue>
#include <span>
#include <stack>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <valarray>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <brood/base/error.hpp>

#include "wire/round_trip.hpp"

namespace brood::wire {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

struct Fragile {
  Fragile() = default;
  explicit Fragile(int) { throw std::runtime_error("broken"); }
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(text);
  }
  std::string text;
};

template <typename T>
void expect_same(const T& value) {
  EXPECT_TRUE(sent(value) == value) << type_name<T>();
}

// The message, one byte further than it was.
std::vector<std::byte> shifted(const Buffer& message) {
  std::vector<std::byte> bytes(message.size() + 1);
  std::memcpy(bytes.data() + 1, message.data(), message.size());
  return bytes;
}

enum class Colour : std::uint8_t { red, green = 200 };
enum class Switch : bool { off, on };
enum Plain { nothing, something };

TEST(values, numbers_travel) {
  expect_same(0);
  expect_same(std::numeric_limits<std::int64_t>::min());
  expect_same(std::numeric_limits<std::uint64_t>::max());
  expect_same('c');
  expect_same(L'c');
  expect_same(u8'c');
  expect_same(u'c');
  expect_same(U'c');
  expect_same(std::byte{7});
  expect_same(true);
  expect_same(false);
  expect_same(1.5F);
  expect_same(-0.1);
  expect_same(1.0L / 3);
}

#ifdef __SIZEOF_INT128__
TEST(values, wide_integers_travel) {
  __extension__ using Wide = __int128;
  const Wide wide = Wide{1} << 100;
  EXPECT_TRUE(sent(wide) == wide);
}
#endif

TEST(values, enums_travel) {
  expect_same(Colour::green);
  expect_same(Switch::on);
  expect_same(something);
}

TEST(values, strings_of_all_kinds_travel) {
  expect_same(std::string());
  expect_same(std::string("two\0words", 9));
  expect_same(std::string(100'000, 'x'));
  expect_same(std::wstring(L"wide"));
  expect_same(std::u8string(u8"eight"));
  expect_same(std::u16string(u"sixteen"));
  expect_same(std::u32string(U"thirty-two"));
}

TEST(values, pairs_and_tuples_travel) {
  expect_same(std::pair(1, std::string("one")));
  expect_same(std::tuple(1, std::string("one"), 2.5, std::vector{1, 2}));
  expect_same(std::tuple<>());
  expect_same(std::tuple(std::tuple(std::string("nested"))));
  expect_same(std::vector{std::pair(std::string("a"), 1), std::pair(std::string("b"), 2)});
}

TEST(values, parts_of_a_tuple_arrive_in_order) {
  const std::tuple<std::string, int, std::string, int> parts("a", 1, "b", 2);
  expect_same(parts);
}

TEST(values, optionals_and_variants_travel) {
  expect_same(std::optional<int>());
  expect_same(std::optional(3));
  expect_same(std::optional(std::string("here")));
  expect_same(std::optional<std::optional<std::string>>(std::in_place));
  expect_same(std::monostate());
  using Several = std::variant<std::monostate, int, std::string, std::vector<double>>;
  expect_same(Several());
  expect_same(Several(7));
  expect_same(Several("text"));
  expect_same(Several(std::vector{1.5, 2.5}));
  using Twice = std::variant<int, int>;
  expect_same(Twice(std::in_place_index<1>, 4));
}

TEST(values, unique_pointers_travel) {
  EXPECT_EQ(sent(std::unique_ptr<int>()), nullptr);
  EXPECT_EQ(*sent(std::make_unique<std::string>("owned")), "owned");
  EXPECT_EQ(**sent(std::make_unique<std::unique_ptr<int>>(std::make_unique<int>(4))), 4);
  EXPECT_EQ(*sent(std::unique_ptr<const int>(new int(5))), 5);
}

TEST(values, times_and_dates_travel) {
  using namespace std::chrono_literals;
  expect_same(5s);
  expect_same(std::chrono::duration<double>(0.25));
  expect_same(std::chrono::system_clock::now());
  expect_same(std::chrono::steady_clock::now());
  expect_same(std::chrono::year(2024) / std::chrono::February / 29);
  expect_same(std::chrono::Monday);
}

TEST(values, complex_numbers_and_bits_travel) {
  expect_same(std::complex(1.0, -2.0));
  expect_same(std::bitset<0>());
  expect_same(std::bitset<8>(0xA5));
  expect_same(
      std::bitset<70>("1000000000000000000000000000000000000000000000000000000000000000001"));
}

TEST(values, paths_travel) {
  expect_same(std::filesystem::path());
  expect_same(std::filesystem::path("/usr/share/../doc"));
}

TEST(values, valarrays_travel) {
  const std::valarray<double> numbers{1, 2, 3};
  EXPECT_TRUE((sent(numbers) == numbers).min());
  EXPECT_EQ(sent(numbers).size(), 3U);
  EXPECT_EQ(sent(std::valarray<std::string>(std::string("x"), 2))[1], "x");
  EXPECT_EQ(sent(std::valarray<int>()).size(), 0U);
}

TEST(values, container_adapters_travel) {
  expect_same(std::stack<int>({1, 2, 3}));
  expect_same(std::queue<std::string>({"a", "b"}));
  std::priority_queue<int, std::vector<int>, std::greater<>> least;
  for (const int number : {5, 1, 3}) least.push(number);
  auto arrived = sent(least);
  EXPECT_EQ(arrived.size(), 3U);
  EXPECT_EQ(arrived.top(), 1);
}

TEST(values, empty_classes_travel) {
  const auto twice = [](int x) { return 2 * x; };
  EXPECT_EQ(sent(twice)(4), 8);
  EXPECT_TRUE(sent(std::less<>())(1, 2));
  sent(std::hash<int>());
}

TEST(values, a_variant_without_a_value_cannot_be_encoded) {
  std::variant<std::string, Fragile> broken("text");
  EXPECT_THROW(broken.emplace<Fragile>(1), std::runtime_error);
  ASSERT_TRUE(broken.valueless_by_exception());
  EXPECT_THAT([&] { sent(broken); }, ThrowsMessage<ShipError>(HasSubstr("valueless")));
}

TEST(values, several_follow_each_other_in_one_message) {
  Buffer out;
  encode(out, 'x');
  encode(out, std::vector{1.5, 2.5});
  encode(out, std::string("end"));
  Reader in(out.view());
  EXPECT_EQ(decode<char>(in), 'x');
  EXPECT_EQ(decode<std::vector<double>>(in), (std::vector{1.5, 2.5}));
  EXPECT_EQ(decode<std::string>(in), "end");
  EXPECT_TRUE(in.at_end());
}

TEST(values, what_is_flat_takes_just_its_bytes) {
  EXPECT_EQ(bytes_of(1).size(), sizeof(int));
  EXPECT_EQ(bytes_of(std::array{1.0, 2.0}).size(), 2 * sizeof(double));
  EXPECT_TRUE(is_flat_v<Colour>);
  EXPECT_TRUE((is_flat_v<std::array<std::complex<float>, 3>>));
  EXPECT_FALSE(is_flat_v<std::string>);
  EXPECT_FALSE(is_flat_v<int*>);
  EXPECT_FALSE((is_flat_v<std::array<int*, 2>>));
}

TEST(in_place, elements_are_read_where_they_lie) {
  const std::vector<double> numbers{1, 2, 3};
  Buffer out;
  encode(out, 'x');
  encode(out, numbers);
  Reader in(out.view());
  decode<char>(in);
  const std::span<const double> seen = decode_span_in_place<double>(in);
  EXPECT_EQ(std::vector(seen.begin(), seen.end()), numbers);
  EXPECT_GE(reinterpret_cast<const std::byte*>(seen.data()), out.data());
  EXPECT_LT(reinterpret_cast<const std::byte*>(seen.data()), out.data() + out.size());
  EXPECT_TRUE(in.at_end());
}

TEST(in_place, elements_that_are_not_aligned_are_refused) {
  Buffer out;
  encode(out, std::vector{1.5});
  const std::vector<std::byte> bytes = shifted(out);
  Reader in({bytes.data() + 1, out.size()});
  EXPECT_THAT([&] { decode_span_in_place<double>(in); },
              ThrowsMessage<ShipError>(HasSubstr("multiple of 8")));
}

TEST(in_place, elements_that_are_not_aligned_can_still_be_copied_out) {
  const std::vector<double> numbers{1.5, 2.5};
  Buffer out;
  encode(out, numbers);
  const std::vector<std::byte> bytes = shifted(out);
  Reader in({bytes.data() + 1, out.size()});
  EXPECT_EQ(decode<std::vector<double>>(in), numbers);
}

TEST(in_place, bools_of_a_vector_are_bytes) {
  Buffer out;
  encode(out, std::vector{true, false, true});
  Reader in(out.view());
  const std::span<const bool> seen = decode_span_in_place<bool>(in);
  EXPECT_EQ(std::vector(seen.begin(), seen.end()), (std::vector{true, false, true}));
}

TEST(in_place, text_is_read_where_it_lies) {
  Buffer out;
  encode(out, std::string("some text"));
  Reader in(out.view());
  const std::string_view seen = decode_text_in_place(in);
  EXPECT_EQ(seen, "some text");
  EXPECT_EQ(reinterpret_cast<const std::byte*>(seen.data()), out.data() + 8);
}

TEST(in_place, empty_ones_are_fine) {
  Buffer out;
  encode(out, std::vector<int>());
  encode(out, std::string());
  Reader in(out.view());
  EXPECT_TRUE(decode_span_in_place<int>(in).empty());
  EXPECT_TRUE(decode_text_in_place(in).empty());
  EXPECT_TRUE(in.at_end());
}

}  // namespace
}  // namespace brood::wire
