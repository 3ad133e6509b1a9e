// SPDX-License-Identifier: MIT
#include <brood/base/reading.hpp>

#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <type_traits>

#include <gtest/gtest.h>

namespace brood {
namespace {

enum class Colour { red, blue };

struct Info {
  Reading<std::string> name{};
  Reading<int> number{};
  Reading<bool> flag{};
  Reading<Colour> colour{};
  Reading<std::optional<int>> code{};
};

const Info info{.name = std::string("one"),
                .number = 7,
                .flag = true,
                .colour = Colour::blue,
                .code = std::nullopt};

TEST(reading, is_a_field_and_a_call) {
  EXPECT_EQ(info.name, "one");
  EXPECT_EQ(info.name(), "one");
  EXPECT_EQ(info.number, 7);
  EXPECT_EQ(info.number(), 7);
  EXPECT_TRUE(info.flag);
  EXPECT_TRUE(info.flag());
  EXPECT_EQ(info.colour, Colour::blue);
  EXPECT_EQ(info.colour(), Colour::blue);
}

TEST(reading, converts_to_the_value) {
  const std::string name = info.name;
  const int number = info.number;
  const long wider = info.number;
  const bool flag = info.flag;
  const Colour colour = info.colour;
  EXPECT_EQ(name + std::to_string(number) + std::to_string(wider), "one77");
  EXPECT_TRUE(flag && colour == Colour::blue);
  const std::set<int> numbers{info.number};
  const std::map<std::string, int> by_name{{info.name, info.number}};
  EXPECT_EQ(numbers.count(info.number), 1u);
  EXPECT_EQ(by_name.at(info.name), 7);
}

TEST(reading, compares_as_the_value_from_either_side) {
  const Info other = info;
  EXPECT_TRUE(info.name == other.name && info.number == other.number && info.flag == other.flag &&
              info.colour == other.colour && info.code == other.code);
  EXPECT_TRUE("one" == info.name && 7 == info.number && Colour::blue == info.colour);
  EXPECT_TRUE(info.name != "two" && info.number != 8 && info.number < 8 && info.number >= 7);
  EXPECT_TRUE(info.name == std::string("one") && std::string("two") != info.name);
  EXPECT_TRUE(info.name < std::string("two"));
}

TEST(reading, of_an_optional_compares_as_the_optional) {
  EXPECT_TRUE(info.code == std::nullopt);
  EXPECT_TRUE(info.code == std::optional<int>{});
  EXPECT_FALSE(info.code.has_value());
  const Reading<std::optional<int>> nine = std::optional<int>{9};
  EXPECT_TRUE(nine == 9 && nine != info.code && nine() == 9 && *nine == 9);
}

TEST(reading, prints_as_the_value) {
  std::ostringstream out;
  out << info.name << ' ' << info.number << ' ' << info.flag;
  EXPECT_EQ(out.str(), "one 7 1");
}

TEST(reading, chooses_in_a_switch) {
  bool blue = false;
  switch (info.colour) {
    case Colour::red: break;
    case Colour::blue: blue = true; break;
  }
  EXPECT_TRUE(blue);
}

Info fresh() { return info; }

TEST(reading, of_a_passing_object_does_not_dangle) {
  auto&& name = fresh().name();
  static_assert(std::is_same_v<decltype(name), std::string&&>);
  EXPECT_EQ(name, "one");
}

TEST(reading, may_be_assigned_the_value) {
  Info changed;
  changed.name = "two";
  changed.number = 8;
  EXPECT_EQ(changed.name, "two");
  EXPECT_EQ(changed.number, 8);
  EXPECT_FALSE(changed.flag);
}

}  // namespace
}  // namespace brood
