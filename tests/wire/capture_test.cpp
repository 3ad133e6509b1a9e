// SPDX-License-Identifier: MIT
#include <brood/wire/capture.hpp>

#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <brood/base/error.hpp>

#include "wire/shipped.hpp"

namespace brood::wire {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::ThrowsMessage;

int global = 0;

#define EXPECT_REFUSED_AT(offset, f) \
  EXPECT_THAT([&] { shipped(f); },   \
              ThrowsMessage<ShipError>(HasSubstr("at byte offset " #offset " points into")))

TEST(capture, of_a_reference_is_refused_and_names_the_byte) {
  int here = 1;
  EXPECT_REFUSED_AT(0, [&here] { return here; });
  EXPECT_REFUSED_AT(0, [&] { return here; });
  std::int64_t number = 1;
  EXPECT_REFUSED_AT(8, ([number, &here] { return number + here; }));
  std::int32_t half = 1;
  EXPECT_REFUSED_AT(8, ([half, &here] { return half + here; }));
}

TEST(capture, of_this_is_refused) {
  struct Owner {
    int value = 1;
    auto getter() {
      return [this] { return value; };
    }
  } owner;
  EXPECT_REFUSED_AT(0, owner.getter());
}

TEST(capture, of_a_pointer_is_refused_wherever_it_points) {
  const char* const literal = "in the program's image";
  const auto on_heap = std::make_unique<int>(1);
  int* const heap = on_heap.get();
  int* const in_data = &global;
  int (*const function)(const char*, ...) = &std::printf;
  EXPECT_REFUSED_AT(0, [literal] { return literal[0]; });
  EXPECT_REFUSED_AT(0, [heap] { return *heap; });
  EXPECT_REFUSED_AT(0, [in_data] { return *in_data; });
  EXPECT_REFUSED_AT(0, [function] { return function != nullptr; });
}

TEST(capture, in_a_struct_or_an_array_is_looked_at_too) {
  struct Pair {
    std::int64_t number;
    const int* pointer;
  };
  const Pair pair{1, &global};
  EXPECT_REFUSED_AT(8, [pair] { return pair.number; });
  const int* const pointers[3] = {nullptr, nullptr, &global};
  EXPECT_REFUSED_AT(16, [pointers] { return pointers[0]; });
}

TEST(capture, that_is_refused_says_what_is_pointed_at_and_the_ways_out) {
  int here = 1;
  const char* const literal = "text";
  EXPECT_THAT([&] { shipped([&here] { return here; }); },
              ThrowsMessage<ShipError>(
                  AllOf(HasSubstr("cannot ship callable '"), HasSubstr("capture the value itself"),
                        HasSubstr("brood::task(f, value)"), HasSubstr("brood::values(f)"))));
  EXPECT_THAT([&] { shipped([literal] { return literal; }); },
              ThrowsMessage<ShipError>(HasSubstr("test.wire.capture")));
}

TEST(capture, of_a_null_pointer_travels) {
  const int* const nothing = nullptr;
  EXPECT_EQ(shipped([nothing] { return nothing; })(), nullptr);
}

TEST(capture, of_numbers_travels_whatever_they_are) {
  const std::uint64_t numbers[] = {0, 1, 4096, ~std::uint64_t{0}, std::uint64_t{1} << 63};
  for (const std::uint64_t number : numbers) {
    EXPECT_EQ(shipped([number] { return number; })(), number);
  }
  double pi = 3.14159;
  EXPECT_EQ(shipped([pi] { return pi; })(), pi);
}

// As a number it may be captured by accident: then the caller vouches.
TEST(capture, that_only_looks_like_a_pointer_travels_when_vouched_for) {
  const auto number = reinterpret_cast<std::uintptr_t>(&global);
  const auto f = [number] { return number; };
  EXPECT_REFUSED_AT(0, f);
  EXPECT_EQ(shipped(values(f))(), number);
  EXPECT_EQ(shipped(task(values(f)))(), number);
}

// A closure's padding holds what lay there before.
TEST(capture, is_told_from_the_padding_beside_it) {
  const auto f = [small = char{1}, large = std::int64_t{2}] { return small + large; };
  using F = std::remove_const_t<decltype(f)>;
  const int* const garbage = &global;
  alignas(F) std::byte room[sizeof(F)];
  std::memcpy(room, &garbage, sizeof garbage);
  auto* const dirty = new (room) F(f);
  // Copying may or may not have copied the padding: it is put there for certain.
  std::memcpy(room, &garbage, sizeof garbage);
  std::memset(room, 1, 1);
  EXPECT_EQ(shipped(*dirty)(), 3);
}

#if __has_builtin(__builtin_clear_padding)
TEST(capture, leaves_no_padding_in_the_message) {
  const auto f = [small = char{1}, large = std::int64_t{2}] { return small + large; };
  using F = std::remove_const_t<decltype(f)>;
  alignas(F) std::byte room[sizeof(F)];
  auto* const dirty = new (room) F(f);
  std::memset(room + 1, 0x5A, 7);
  Buffer out;
  encode_callable<F>(out, *dirty);
  ASSERT_EQ(out.size(), sizeof(F));
  for (std::size_t i = 1; i < 8; ++i) EXPECT_EQ(out.data()[i], std::byte{0}) << i;
}
#endif

TEST(capture, below_a_pointers_alignment_is_not_looked_at) {
  const std::uint32_t halves[2] = {1, 2};
  EXPECT_EQ(shipped([halves] { return halves[0] + halves[1]; })(), 3u);
}

TEST(capture, of_local_code_never_travels) {
  const std::string text = "text";
  const auto f = local([&text] { return text; });
  EXPECT_EQ(f(), "text");
  EXPECT_THAT([&] { shipped(f); }, ThrowsMessage<ShipError>(AllOf(HasSubstr("brood::local"),
                                                                  HasSubstr("Context::thread"))));
  EXPECT_THROW(shipped(task(f)), ShipError);
}

}  // namespace
}  // namespace brood::wire
