// SPDX-License-Identifier: MIT
#include <array>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <brood/brood.hpp>

#include "pool/contexts.hpp"
#include "share/views.hpp"

namespace brood::testing {
namespace {

using ::testing::ElementsAre;

struct Picture {
  std::string name;
  std::optional<View<float>> pixels;
  std::vector<View<std::uint16_t>> layers;
  std::pair<View<char>, int> rest;
};
Picture paint(std::size_t size) {
  const auto layer = [size](std::uint16_t value) {
    return View(std::vector<std::uint16_t>(size, value));
  };
  return {"dawn",
          View<float>::make(size, [](std::span<float> out) { out.back() = 0.5F; }),
          {layer(1), {}, layer(3)},
          {View<char>(std::vector<char>(size + 1, 'x')), 7}};
}
void expect_painted(const Picture& picture, std::size_t size) {
  EXPECT_EQ(picture.name, "dawn");
  ASSERT_TRUE(picture.pixels);
  ASSERT_EQ(picture.pixels->size(), size);
  EXPECT_EQ((*picture.pixels)[0], 0);
  EXPECT_EQ((*picture.pixels)[size - 1], 0.5F);
  ASSERT_EQ(picture.layers.size(), 3u);
  EXPECT_EQ(picture.layers[0], View(std::vector<std::uint16_t>(size, 1)));
  EXPECT_TRUE(picture.layers[1].empty());
  EXPECT_EQ(picture.layers[2], View(std::vector<std::uint16_t>(size, 3)));
  EXPECT_EQ(picture.rest.first, View(std::vector<char>(size + 1, 'x')));
  EXPECT_EQ(picture.rest.second, 7);
}

TEST(View, is_an_array_that_nobody_changes) {
  const View numbers(std::vector<int>{3, 1, 2});
  EXPECT_THAT(numbers, ElementsAre(3, 1, 2));
  EXPECT_EQ(numbers.size(), 3u);
  EXPECT_FALSE(numbers.empty());
  EXPECT_EQ(numbers[1], 1);
  EXPECT_EQ(numbers.span().data(), numbers.data());
  const std::span<const int> seen = numbers;
  EXPECT_EQ(seen.data(), numbers.data());
  const View copy = numbers;
  EXPECT_EQ(copy.data(), numbers.data());
  EXPECT_EQ(copy, numbers);
  EXPECT_EQ(numbers, View(std::span(seen)));
  EXPECT_FALSE(numbers == View(std::vector<int>{3, 1}));
  static_assert(!std::is_assignable_v<decltype(copy[0]), int>);
}

TEST(View, of_nothing_is_empty) {
  EXPECT_TRUE(View<int>().empty());
  EXPECT_EQ(View<int>().data(), nullptr);
  EXPECT_EQ(View(std::vector<int>()), View<int>());
  EXPECT_EQ(View<int>::make(0, [](std::span<int>) { throw 1; }), View<int>());
}

TEST(View, takes_a_vector_as_it_is) {
  std::vector<std::uint64_t> values(many, 1);
  const std::uint64_t* const where = values.data();
  const View<std::uint64_t> view(std::move(values));
  EXPECT_EQ(view.data(), where);
  EXPECT_EQ(mapped(), 0);
}

TEST(View, made_in_place_can_be_written_to_by_nobody) {
  const auto numbers = count_many_from(7);
  EXPECT_TRUE(counts_from(numbers, 7, many));
  EXPECT_EQ(mapped(), 1);
  EXPECT_DEATH(const_cast<std::uint64_t&>(numbers[0]) = 1, "");
}

TEST(View, that_is_filled_badly_is_none) {
  EXPECT_THROW(View<int>::make(many, [](std::span<int>) { throw std::runtime_error("no"); }),
               std::runtime_error);
  EXPECT_THROW(View<int>::make(SIZE_MAX, [](std::span<int>) {}), std::length_error);
  EXPECT_EQ(mapped(), 0);
  EXPECT_EQ(descriptors(), 0);
}

// A message whose memory may be lost on its way.
class Letter final : public wire::Writer {
 public:
  Letter() noexcept : Writer(nullptr, nullptr) {
    begin_ = at_ = room_.data();
    end_ = begin_ + room_.size();
  }
  std::span<const std::byte> bytes() const noexcept { return {room_.data(), size()}; }
  std::optional<std::uint32_t> enclose(int, std::shared_ptr<const void>) override { return 0; }

 private:
  void make_room(std::size_t) override { throw std::bad_alloc(); }

  alignas(16) std::array<std::byte, 256> room_{};
};

TEST(View, without_its_memory_or_with_such_as_can_change_is_refused) {
  Letter letter;
  wire::encode(letter, count_many_from(1));
  ASSERT_LT(letter.size(), 64u) << "no byte of it is moved";
  wire::Reader lost(letter.bytes());
  EXPECT_THROW(wire::decode<View<std::uint64_t>>(lost), ShipError);
  const wire::Enclosed not_sealed{nullptr};
  wire::Reader changeable(letter.bytes(), &not_sealed);
  EXPECT_THROW(wire::decode<View<std::uint64_t>>(changeable), ShipError);
}

// What a View and a shared_vector have in common.
template <typename Array>
class SharedArrays : public ::testing::Test {};
template <template <typename> typename Of>
struct Arrays {
  template <typename T>
  using of = Of<T>;
};
using BothArrays = ::testing::Types<Arrays<View>, Arrays<shared_vector>>;
TYPED_TEST_SUITE(SharedArrays, BothArrays);

TYPED_TEST(SharedArrays, say_what_is_not_there) {
  const typename TypeParam::template of<int> array(std::vector{1, 2, 3});
  EXPECT_EQ(array.at(2), 3);
  EXPECT_EQ(array.front() + array.back(), 4);
  EXPECT_THROW(array.at(3), std::out_of_range);
}

TYPED_TEST(SharedArrays, are_empty_when_they_were_moved_from) {
  using Array = typename TypeParam::template of<int>;
  Array first(std::vector{1, 2, 3});
  Array second(std::move(first));
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that is the question
  EXPECT_EQ(first.begin(), first.end());
  EXPECT_THAT(second, ElementsAre(1, 2, 3));
  first = std::move(second);
  EXPECT_TRUE(second.empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_THAT(first, ElementsAre(1, 2, 3));
  first = *&first;
  EXPECT_THAT(first, ElementsAre(1, 2, 3));
}

TYPED_TEST(SharedArrays, of_other_elements_than_they_say_are_refused) {
  Letter three;
  wire::encode(three, View(std::vector<char>{0, 1, 2}));
  wire::Reader odd(three.bytes());
  EXPECT_THROW(wire::decode<typename TypeParam::template of<std::uint16_t>>(odd), ShipError);
  wire::Reader no_bools(three.bytes());
  EXPECT_THROW(wire::decode<typename TypeParam::template of<bool>>(no_bools), ShipError);
}

struct alignas(64) Wide {
  std::uint64_t value;
};

class Views : public AllContexts {};

TEST_P(Views, are_results_of_any_size) {
  Pool pool = make_pool(1);
  for (const std::size_t size : {0u, 1u, 3u, 511u, 8191u, 8192u, 8193u, 100'001u}) {
    const auto made = pool.apply(count_from, std::uint64_t{5}, size);
    EXPECT_TRUE(counts_from(made, 5, size)) << size;
    const auto copied =
        pool.apply([](std::size_t n) { return View(std::vector<char>(n, 'x')); }, size);
    EXPECT_EQ(copied, View(std::vector<char>(size, 'x'))) << size;
  }
}

TEST_P(Views, are_results_in_every_form) {
  Pool pool = make_pool();
  const std::vector<std::uint64_t> firsts{1, 20, 300, 4000, 50000};
  EXPECT_TRUE(counts_from(pool.apply_async(count_many_from, 9).get(), 9, many));
  const auto all = pool.map(count_many_from, firsts);
  std::size_t next = 0;
  for (const auto& each : all) EXPECT_TRUE(counts_from(each, firsts[next++], many));
  EXPECT_EQ(next, firsts.size());
  next = 0;
  for (const auto& each : pool.imap(count_many_from, firsts)) {
    EXPECT_TRUE(counts_from(each, firsts[next++], many));
  }
  const std::vector<std::tuple<std::uint64_t, std::size_t>> pairs{{1, 5}, {2, many}, {3, 0}};
  const auto mixed = pool.starmap(count_from, pairs);
  EXPECT_TRUE(counts_from(mixed[0], 1, 5));
  EXPECT_TRUE(counts_from(mixed[1], 2, many));
  EXPECT_TRUE(mixed[2].empty());
  const auto outcomes = pool.map_outcomes(
      [](std::uint64_t first) {
        if (first == 20) throw std::runtime_error("not this one");
        return count_many_from(first);
      },
      firsts);
  EXPECT_TRUE(counts_from(outcomes[0].value(), 1, many));
  EXPECT_THROW(outcomes[1].value(), std::runtime_error);
  EXPECT_TRUE(counts_from(outcomes[4].value(), 50000, many));
}

TEST_P(Views, travel_in_other_values) {
  Pool pool = make_pool();
  expect_painted(pool.apply(paint, std::size_t{10}), 10);
  expect_painted(pool.apply(paint, many), many);
  for (const Picture& each : pool.map(paint, {many, std::size_t{11}})) {
    expect_painted(each, each.pixels->size());
  }
}

TEST_P(Views, travel_beside_what_does_not_fit) {
  Pool pool = make_pool(1);
  const auto [text, numbers] =
      pool.apply([] { return std::pair(std::string(10'000'000, 't'), count_many_from(3)); });
  EXPECT_EQ(text, std::string(10'000'000, 't'));
  EXPECT_TRUE(counts_from(numbers, 3, many));
}

TEST_P(Views, are_more_than_one_message_carries) {
  Pool pool = make_pool(1);
  const auto all = pool.apply([] {
    std::vector<View<std::uint64_t>> made;
    for (std::uint64_t i = 0; i < 40; ++i) made.push_back(count_many_from(i));
    return made;
  });
  ASSERT_EQ(all.size(), 40u);
  for (std::uint64_t i = 0; i < 40; ++i) EXPECT_TRUE(counts_from(all[i], i, many));
}

TEST_P(Views, are_arguments) {
  Pool pool = make_pool();
  const auto numbers = count_many_from(0);
  EXPECT_EQ(pool.apply(sum, numbers), sum(numbers));
  EXPECT_EQ(pool.apply(sum, View(std::vector<std::uint64_t>{1, 2, 3})), 6u);
  EXPECT_EQ(pool.apply(sum, View(std::vector<std::uint64_t>(many, 2))), 2 * many);
  EXPECT_EQ(pool.apply(sum, View<std::uint64_t>()), 0u);
  const std::vector<View<std::uint64_t>> items(20, numbers);
  EXPECT_EQ(pool.map(sum, items), std::vector<std::uint64_t>(20, sum(numbers)));
  const auto back = pool.apply(count_many_from, 5);
  EXPECT_EQ(pool.apply(sum, back), sum(back));
  EXPECT_EQ(pool.apply([](View<std::uint64_t> same) { return same; }, back), back);
}

TEST_P(Views, come_through_a_pool_within_a_task) {
  Pool pool = make_pool(1);
  const auto numbers = pool.apply([] {
    Pool inner{1};
    return inner.apply(count_many_from, 4);
  });
  EXPECT_TRUE(counts_from(numbers, 4, many));
}

TEST_P(Views, outlive_result_and_pool) {
  View<std::uint64_t> kept;
  {
    Pool pool = make_pool(1);
    kept = pool.apply(count_many_from, 8);
  }
  EXPECT_TRUE(counts_from(kept, 8, many));
}

// Waits for the fact, as a thread of the pool may be about to let go; the test's own time
// limit is the watchdog.
TEST_P(Views, leave_nothing_behind) {
  Pool pool = make_pool(1);
  {
    const auto one = pool.apply(count_many_from, 1);
    const auto more = pool.map(count_many_from, {2, 3});
    const auto same = one;
    pool.apply_async(count_many_from, 4).wait();  // and nobody takes it
    EXPECT_GE(mapped(), 3);
    EXPECT_EQ(descriptors(), mapped());
  }
  while (mapped() != 0 || descriptors() != 0) {
  }
}

TEST_P(Views, of_over_aligned_elements_stay_aligned) {
  Pool pool = make_pool(1);
  for (const std::size_t size : {1u, 3000u}) {
    const auto wide =
        pool.apply([](std::size_t n) { return View(std::vector<Wide>(n, {6})); }, size);
    ASSERT_EQ(wide.size(), size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(wide.data()) % alignof(Wide), 0u);
    EXPECT_EQ(wide[size - 1].value, 6u);
  }
}

INSTANTIATE_TEST_SUITE_P(contexts, Views, every_context, name_of);

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
