// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <forward_list>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <valarray>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <brood/base/error.hpp>

#include "wire/round_trip.hpp"

namespace {

// The largest block that was asked for since it was last set to zero.
std::atomic<std::size_t> largest_request{0};

}  // namespace

// Not inlined: GCC would take each for the other half of another pair.
[[gnu::noinline]] void* operator new(std::size_t size) {
  std::size_t before = largest_request;
  while (size > before && !largest_request.compare_exchange_weak(before, size)) {
  }
  if (void* block = std::malloc(size)) return block;
  throw std::bad_alloc{};
}
[[gnu::noinline]] void operator delete(void* block) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::size_t) noexcept { std::free(block); }

// Bytes that no encode wrote: a worker died while it wrote them, or wrote over
// them. They give a value or a ShipError; never a read past their end (the
// sanitizers watch), never an allocation out of proportion, never a stack overflow.
namespace brood::wire {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

enum class Switch : bool { off, on };

struct Flat {
  int number = 0;
  bool truth = false;
  std::array<Switch, 2> switches{};
};

struct Taught {
  std::map<std::string, std::vector<int>> all;
  std::unique_ptr<Taught> next;
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(all, next);
  }
};

struct Everything {
  int number = 1;
  std::string text = "text";
  std::vector<Flat> flats = std::vector<Flat>(3);
  std::vector<bool> bits{true, false};
  std::optional<std::string> maybe = "maybe";
  std::variant<std::monostate, int, std::vector<std::string>> either =
      std::vector<std::string>{"e"};
  std::tuple<char, std::u16string> pair{'c', u"sixteen"};
  std::unique_ptr<std::string> owned = std::make_unique<std::string>("owned");
  std::map<std::string, std::set<int>> map{{"a", {1, 2}}, {"b", {}}};
  std::unordered_map<int, std::string> hashed{{1, "one"}};
  std::deque<std::list<std::string>> deque{{"x"}, {}};
  std::forward_list<double> forward{1, 2};
  std::priority_queue<int> queue{std::less<int>(), std::vector{3, 1, 2}};
  std::valarray<float> numbers{1, 2};
  std::filesystem::path path = "/a/b";
  std::vector<std::tuple<>> nothings = std::vector<std::tuple<>>(2);
  Taught taught{{{"k", {1, 2, 3}}}, std::make_unique<Taught>()};
  double grid[2][2] = {};
  std::string names[2] = {"n", "m"};
};

struct Node {
  int value = 0;
  std::unique_ptr<Node> next;
};

struct Tree {
  std::vector<Tree> children;
};

struct Wide {
  char block[16 * 1024] = {};
  std::unique_ptr<Wide> next;
};

struct Nothing {};

std::vector<std::byte> message_claiming(std::uint64_t count, std::size_t bytes_behind) {
  Buffer out;
  out.write(&count, sizeof count);
  std::fill_n(out.reserve(bytes_behind), bytes_behind, std::byte{1});
  return {out.view().begin(), out.view().end()};
}

template <typename T>
void expect_refused(const std::vector<std::byte>& bytes) {
  Reader in(bytes);
  EXPECT_THROW(decode<T>(in), ShipError);
}

TEST(hostile, every_truncation_is_refused) {
  const std::vector<std::byte> whole = bytes_of(Everything{});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    // A copy of just that size, so that a byte too far is seen.
    const std::vector<std::byte> part(whole.begin(),
                                      whole.begin() + static_cast<std::ptrdiff_t>(size));
    Reader in(part);
    EXPECT_THROW(decode<Everything>(in), ShipError) << "of " << size << " bytes";
  }
}

TEST(hostile, any_change_gives_a_value_or_a_ship_error) {
  const std::vector<std::byte> whole = bytes_of(Everything{});
  std::mt19937 random(7);
  const auto below = [&random](std::size_t end) { return random() % end; };
  int values = 0;
  int refusals = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::byte> changed = whole;
    for (std::size_t changes = 1 + below(4); changes != 0; --changes) {
      const std::byte other[] = {std::byte(random()), std::byte{0}, std::byte{1}, std::byte{0xFF}};
      changed[below(changed.size())] = other[below(4)];
    }
    if (below(8) == 0) changed.resize(below(changed.size()));
    largest_request = 0;
    try {
      Reader in(changed);
      const auto arrived = decode<Everything>(in);
      ++values;
    } catch (const ShipError&) {
      ++refusals;
    }
    ASSERT_LT(largest_request, 64 * whole.size()) << "in round " << round;
  }
  EXPECT_GT(values, 0);
  EXPECT_GT(refusals, 0);
}

TEST(hostile, noise_gives_a_value_or_a_ship_error) {
  std::mt19937 random(11);
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::byte> noise(random() % 200);
    for (std::byte& each : noise) each = std::byte(random() % (round % 2 == 0 ? 256 : 3));
    try {
      Reader in(noise);
      decode<Everything>(in);
    } catch (const ShipError&) {
    }
  }
}

TEST(hostile, a_number_of_elements_is_checked_before_room_is_made) {
  const auto refused = []<typename T>(std::type_identity<T>, std::uint64_t count) {
    largest_request = 0;
    expect_refused<T>(message_claiming(count, 100));
    EXPECT_LT(largest_request, 64U * 1024) << type_name<T>();
  };
  for (const std::uint64_t count :
       {std::uint64_t{101}, std::uint64_t{1} << 30, std::uint64_t{1} << 61, ~std::uint64_t{0}}) {
    refused(std::type_identity<std::string>(), count);
    refused(std::type_identity<std::u32string>(), count);
    refused(std::type_identity<std::vector<int>>(), count);
    refused(std::type_identity<std::vector<bool>>(), count);
    refused(std::type_identity<std::vector<Nothing>>(), count);
    refused(std::type_identity<std::vector<std::vector<Nothing>>>(), count);
    refused(std::type_identity<std::vector<std::string>>(), count);
    refused(std::type_identity<std::vector<std::tuple<>>>(), count);
    refused(std::type_identity<std::deque<double>>(), count);
    refused(std::type_identity<std::forward_list<char>>(), count);
    refused(std::type_identity<std::map<int, int>>(), count);
    refused(std::type_identity<std::unordered_map<char, Nothing>>(), count);
    refused(std::type_identity<std::valarray<double>>(), count);
    refused(std::type_identity<std::filesystem::path>(), count);
    refused(std::type_identity<std::vector<Taught>>(), count);
  }
}

TEST(hostile, a_bool_is_0_or_1) {
  const std::vector<std::byte> two{std::byte{2}};
  expect_refused<bool>(two);
  expect_refused<Switch>(two);
  expect_refused<std::tuple<bool>>(two);
  expect_refused<std::array<bool, 1>>(two);
  expect_refused<std::vector<bool>>(
      {message_claiming(1, 0)[0], {}, {}, {}, {}, {}, {}, {}, two[0]});
  auto bytes = bytes_of(Flat{1, true, {Switch::on, Switch::on}});
  bytes[sizeof(int) + 2] = std::byte{0xFF};
  expect_refused<Flat>(bytes);
  auto several = bytes_of(std::vector<Flat>(2));
  several[8 + sizeof(Flat) + sizeof(int)] = std::byte{3};
  expect_refused<std::vector<Flat>>(several);
  Reader in(several);
  EXPECT_THAT([&] { decode_span_in_place<Flat>(in); },
              ThrowsMessage<ShipError>(HasSubstr("neither 0 nor 1")));
}

TEST(hostile, a_flag_is_0_or_1) {
  const std::vector<std::byte> bytes{std::byte{2}, {}, {}, {}, {}};
  expect_refused<std::optional<int>>(bytes);
  expect_refused<std::unique_ptr<int>>(bytes);
}

TEST(hostile, the_index_of_a_variant_names_one_of_its_types) {
  const std::vector<std::byte> bytes{std::byte{2}, {}, {}, {}, {}};
  using Two = std::variant<int, char>;
  Reader in(bytes);
  EXPECT_THAT([&] { decode<Two>(in); }, ThrowsMessage<ShipError>(HasSubstr("names none")));
}

TEST(hostile, the_heap_of_a_priority_queue_is_made_anew) {
  const auto bytes = bytes_of(std::vector{1, 9, 5});
  Reader in(bytes);
  EXPECT_EQ(decode<std::priority_queue<int>>(in).top(), 9);
}

TEST(hostile, a_list_as_deep_as_allowed_arrives) {
  Node list;
  Node* last = &list;
  for (int depth = 1; depth < 1900; ++depth) {
    last->next = std::make_unique<Node>();
    last = last->next.get();
    last->value = depth;
  }
  const Node arrived = sent(list);
  const Node* end = &arrived;
  while (end->next) end = end->next.get();
  EXPECT_EQ(end->value, 1899);
}

TEST(hostile, a_deeper_value_is_not_encoded) {
  Node list;
  for (int depth = 0; depth < 100'000; ++depth) {
    auto below = std::make_unique<Node>();
    below->next = std::move(list.next);
    list.next = std::move(below);
  }
  EXPECT_THAT([&] { bytes_of(list); },
              ThrowsMessage<ShipError>(HasSubstr("more than 2000 levels deep")));
  while (list.next) list.next = std::move(list.next->next);  // not recursively, as ~Node would
}

TEST(hostile, a_message_that_claims_to_be_deeper_is_refused) {
  Buffer lists;
  Buffer trees;
  for (int depth = 0; depth < 100'000; ++depth) {
    encode(lists, depth);
    encode(lists, true);
    encode(trees, std::uint64_t{1});
  }
  Reader list(lists.view());
  EXPECT_THAT([&] { decode<Node>(list); }, ThrowsMessage<ShipError>(HasSubstr("levels deep")));
  Reader tree(trees.view());
  EXPECT_THAT([&] { decode<Tree>(tree); }, ThrowsMessage<ShipError>(HasSubstr("levels deep")));
}

TEST(hostile, levels_with_large_frames_count_for_several) {
  Buffer out;
  const Wide wide;
  for (int depth = 0; depth < 1000; ++depth) {
    out.write(wide.block, sizeof wide.block);
    encode(out, true);
  }
  Reader in(out.view());
  EXPECT_THAT([&] { decode<Wide>(in); }, ThrowsMessage<ShipError>(HasSubstr("levels deep")));
}

}  // namespace
}  // namespace brood::wire
