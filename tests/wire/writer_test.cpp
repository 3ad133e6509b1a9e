// SPDX-License-Identifier: MIT
#include <brood/wire/writer.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

namespace brood::wire {
namespace {

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void write(Writer& out, std::string_view text) { out.write(text.data(), text.size()); }

// Sixteen bytes of its own, and then no more.
class Sixteen final : public Writer {
 public:
  Sixteen() noexcept : Writer(bytes_, bytes_ + sizeof bytes_) {}
  std::size_t asked_for = 0;

 private:
  void make_room(std::size_t more) override {
    asked_for = more;
    throw std::bad_alloc{};
  }
  alignas(16) std::byte bytes_[16];
};

TEST(writer, asks_for_room_only_when_there_is_none) {
  Sixteen out;
  write(out, "0123456789");
  write(out, "abcdef");
  EXPECT_EQ(out.size(), 16U);
  EXPECT_EQ(out.asked_for, 0U);
  EXPECT_THROW(write(out, "gh"), std::bad_alloc);
  EXPECT_EQ(out.asked_for, 2U);
}

TEST(writer, is_as_it_was_when_no_room_can_be_made) {
  Sixteen out;
  write(out, "0123456789");
  EXPECT_THROW(write(out, "abcdefgh"), std::bad_alloc);
  EXPECT_EQ(out.size(), 10U);
  write(out, "abcdef");
  EXPECT_EQ(out.size(), 16U);
}

TEST(writer, needs_no_room_for_nothing) {
  Buffer out;
  out.write(nullptr, 0);
  EXPECT_EQ(out.size(), 0U);
  EXPECT_TRUE(out.view().empty());
}

TEST(writer, aligns_with_zeros_from_the_first_byte_of_the_message_on) {
  Buffer out;
  write(out, "abc");
  out.align(8);
  EXPECT_EQ(text_of(out.view()), std::string("abc\0\0\0\0\0", 8));
  out.align(8);
  EXPECT_EQ(out.size(), 8U);
  out.align(1);
  EXPECT_EQ(out.size(), 8U);
}

TEST(writer, counts_reserved_bytes_as_written) {
  Buffer out;
  std::memcpy(out.reserve(3), "xyz", 3);
  write(out, "!");
  EXPECT_EQ(text_of(out.view()), "xyz!");
}

TEST(buffer, keeps_what_was_written_as_it_grows) {
  Buffer out;
  std::string all;
  for (int i = 0; i < 10'000; ++i) {
    const std::string piece = std::to_string(i);
    write(out, piece);
    all += piece;
  }
  EXPECT_EQ(text_of(out.view()), all);
}

TEST(buffer, begins_where_any_scalar_may_stand) {
  for (std::size_t capacity : {1U, 100U, 10'000U}) {
    const Buffer out(capacity);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(out.data()) % 16, 0U);
  }
}

TEST(buffer, keeps_its_room_when_cleared) {
  Buffer out;
  write(out, "some text");
  const std::byte* before = out.data();
  out.clear();
  EXPECT_EQ(out.size(), 0U);
  write(out, "other");
  EXPECT_EQ(out.data(), before);
  EXPECT_EQ(text_of(out.view()), "other");
}

TEST(buffer, moves_without_copying) {
  Buffer from;
  write(from, "cargo");
  const std::byte* bytes = from.data();
  Buffer to(std::move(from));
  EXPECT_EQ(to.data(), bytes);
  Buffer last;
  write(last, "old");
  last = std::move(to);
  EXPECT_EQ(last.data(), bytes);
  EXPECT_EQ(text_of(last.view()), "cargo");
}

TEST(buffer, releases_its_bytes_and_can_be_used_again) {
  Buffer out;
  write(out, "cargo");
  const Block block = out.release();
  EXPECT_EQ(text_of(block.view()), "cargo");
  EXPECT_EQ(out.size(), 0U);
  write(out, "more");
  EXPECT_EQ(text_of(out.view()), "more");
  EXPECT_EQ(text_of(block.view()), "cargo");
}

TEST(buffer, refuses_a_size_that_no_memory_has) {
  Buffer out;
  write(out, "abc");
  EXPECT_THROW(out.reserve(static_cast<std::size_t>(-1)), std::bad_alloc);
  EXPECT_EQ(out.size(), 3U);
}

}  // namespace
}  // namespace brood::wire
