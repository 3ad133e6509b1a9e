// SPDX-License-Identifier: MIT
#include <brood/wire/reader.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <brood/base/error.hpp>
#include <brood/wire/writer.hpp>

namespace brood::wire {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

std::array<std::byte, 12> counting() {
  std::array<std::byte, 12> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = std::byte(i);
  return bytes;
}

TEST(reader, reads_front_to_back) {
  const auto bytes = counting();
  Reader in(bytes);
  std::array<std::byte, 3> first{};
  in.read(first.data(), first.size());
  EXPECT_EQ(first[2], std::byte{2});
  EXPECT_EQ(*in.take(1), std::byte{3});
  EXPECT_EQ(in.position(), 4U);
  EXPECT_EQ(in.left(), 8U);
  EXPECT_FALSE(in.at_end());
  in.take(8);
  EXPECT_TRUE(in.at_end());
}

TEST(reader, takes_in_place) {
  const auto bytes = counting();
  Reader in(bytes);
  EXPECT_EQ(in.take(5), bytes.data());
  EXPECT_EQ(in.take(5), bytes.data() + 5);
}

TEST(reader, refuses_to_read_past_the_end) {
  const auto bytes = counting();
  Reader in(bytes);
  in.take(10);
  std::uint32_t number = 0;
  EXPECT_THAT([&] { in.read(&number, sizeof number); },
              ThrowsMessage<ShipError>(HasSubstr("cannot decode a message: it ends at byte 12")));
  EXPECT_EQ(in.position(), 10U);
  EXPECT_THROW(in.take(std::numeric_limits<std::size_t>::max()), ShipError);
}

TEST(reader, reads_nothing_from_no_bytes) {
  Reader in({});
  in.read(nullptr, 0);
  in.align(16);
  EXPECT_TRUE(in.at_end());
  EXPECT_THROW(in.take(1), ShipError);
}

TEST(reader, skips_what_align_wrote) {
  Buffer out;
  out.write("abc", 3);
  out.align(8);
  out.write("d", 1);
  Reader in(out.view());
  in.take(3);
  in.align(8);
  EXPECT_EQ(*in.take(1), std::byte{'d'});
}

TEST(reader, refuses_padding_past_the_end) {
  const auto bytes = counting();
  Reader in(bytes);
  in.take(9);
  EXPECT_THROW(in.align(16), ShipError);
}

TEST(reader, holds_a_number_of_elements_against_the_bytes_left) {
  const auto claiming = [](std::uint64_t count, std::size_t least) {
    Buffer out;
    out.write(&count, sizeof count);
    out.write("0123456789", 10);
    Reader in(out.view());
    return in.take_count(least);
  };
  EXPECT_EQ(claiming(0, 1), 0U);
  EXPECT_EQ(claiming(10, 1), 10U);
  EXPECT_EQ(claiming(2, 4), 2U);
  EXPECT_THROW(claiming(11, 1), ShipError);
  EXPECT_THROW(claiming(3, 4), ShipError);
  // Times four this is zero again.
  EXPECT_THROW(claiming(std::uint64_t{1} << 62, 4), ShipError);
  EXPECT_THAT([&] { claiming(1'000'000, 1); },
              ThrowsMessage<ShipError>(HasSubstr("it claims 1000000 elements")));
}

}  // namespace
}  // namespace brood::wire
