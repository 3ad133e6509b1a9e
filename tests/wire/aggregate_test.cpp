// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "wire/round_trip.hpp"

namespace brood::wire {
namespace {

struct Point {
  int x = 0;
  double y = 0;
  bool operator==(const Point&) const = default;
};

struct Flags {
  bool first = false;
  std::uint8_t gap = 0;
  std::array<bool, 3> more{};
  bool operator==(const Flags&) const = default;
};

struct Order {
  std::string name;
  std::vector<Point> points;
  std::map<std::string, Point> named;
  std::optional<Point> origin;
  std::variant<int, std::string> note;
  std::tuple<int, std::string> pair{1, "default"};
  Point last{7, 8};
  bool operator==(const Order&) const = default;
};

struct Wrapped {
  Order order;
  bool operator==(const Wrapped&) const = default;
};

struct WithArrays {
  std::string name;
  char code[8] = {};
  double grid[2][3] = {};
  Point corners[2] = {};
  std::string lines[2];
  bool operator==(const WithArrays&) const = default;
};

struct FlatArrays {
  const int id;
  char name[4096];
  float grid[64][64];
};

struct Empty {
  bool operator==(const Empty&) const = default;
};

struct Dressed {
  Empty empty;
  std::string text;
  [[no_unique_address]] Empty nothing;
  bool operator==(const Dressed&) const = default;
};

class NoDefault {
 public:
  explicit NoDefault(int value) : value_(value) {}
  int value() const { return value_; }

  NoDefault(NoDefault&&) = default;
  NoDefault& operator=(NoDefault&&) = default;

 private:
  int value_;
};

struct OnlyBuilt {
  const std::string name;
  const std::unique_ptr<int> owned;
  std::vector<const std::string*>::size_type size;
};

struct Bits {
  unsigned low : 3;
  bool flag : 1;
  bool whole;
  int number;
};

struct BitsAndText {
  unsigned low : 3;
  std::string text;
  int high : 5;
};

struct Node {
  int value = 0;
  std::unique_ptr<Node> next;
};

struct Tree {
  std::string name;
  std::vector<Tree> children;
  std::map<int, Tree> named;
  bool operator==(const Tree&) const = default;
};

struct Even;
struct Odd {
  std::unique_ptr<Even> below;
};
struct Even {
  std::unique_ptr<Odd> below;
};

struct Many {
  int a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7;
  int c0, c1, c2, c3, c4, c5, c6, c7, d0, d1, d2, d3, d4, d5, d6, d7;
  int e0, e1, e2, e3, e4, e5, e6, e7, f0, f1, f2, f3, f4, f5, f6, f7;
  int g0, g1, g2, g3, g4, g5, g6, g7, h0, h1, h2, h3, h4, h5, h6;
  std::string last;
};

struct Base {
  int inherited;
};
struct Derived : Base {
  int own;
};
struct EmptyBased : Empty {
  std::string own;
};

struct WithPointer {
  int* pointer;
};
struct WithReference {
  int& reference;
};
struct WithConstReference {
  const int& reference;
  int number;
};
struct WithView {
  std::string_view view;
};
struct DeepPointer {
  std::map<int, std::optional<std::vector<WithPointer>>> deep;
};
union Either {
  int number;
  float fraction;
};
struct WithPrivate {
  explicit WithPrivate(int value) : value_(value) {}
  int value() const { return value_; }

 private:
  int value_;
};

TEST(aggregate, of_numbers_is_one_run_of_bytes) {
  EXPECT_TRUE(is_flat_v<Point>);
  EXPECT_TRUE((is_flat_v<std::array<Point, 4>>));
  EXPECT_EQ(bytes_of(Point{1, 2}).size(), sizeof(Point));
  EXPECT_EQ(sent(Point{1, 2}), (Point{1, 2}));
  EXPECT_EQ(sent(std::vector<Point>(3, Point{1, 2})), std::vector<Point>(3, Point{1, 2}));
}

TEST(aggregate, of_bools_arrives) {
  const Flags flags{true, 9, {false, true, true}};
  EXPECT_EQ(sent(flags), flags);
  EXPECT_EQ(sent(std::vector{flags, Flags{}}), (std::vector{flags, Flags{}}));
}

TEST(aggregate, of_containers_and_aggregates_arrives) {
  const Order order{"one", {{1, 2}, {3, 4}}, {{"a", {5, 6}}}, Point{1, 1}, "note", {2, "two"}, {}};
  EXPECT_EQ(sent(order), order);
  EXPECT_EQ(sent(Order{}), Order{});
  EXPECT_EQ(sent(Wrapped{order}), Wrapped{order});
}

TEST(aggregate, with_c_arrays_arrives) {
  WithArrays arrays{"n", "code", {{1, 2, 3}, {4, 5, 6}}, {{1, 2}, {3, 4}}, {"a", "b"}};
  EXPECT_EQ(sent(arrays), arrays);
}

TEST(aggregate, with_large_arrays_and_constants_arrives) {
  EXPECT_TRUE(is_flat_v<FlatArrays>);
  const auto arrays = std::make_unique<FlatArrays>(FlatArrays{7, "name", {{1.5F, 2.5F}}});
  const auto arrived = sent(*arrays);
  EXPECT_EQ(arrived.id, 7);
  EXPECT_STREQ(arrived.name, "name");
  EXPECT_EQ(arrived.grid[0][1], 2.5F);
}

TEST(aggregate, that_is_empty_or_has_empty_fields_arrives) {
  EXPECT_EQ(sent(Empty{}), Empty{});
  EXPECT_EQ(sent(std::vector<Empty>(4)).size(), 4U);
  const Dressed dressed{{}, "text", {}};
  EXPECT_EQ(sent(dressed), dressed);
}

TEST(aggregate, with_fields_that_only_move_or_never_change_arrives) {
  Buffer out;
  encode(out, OnlyBuilt{"name", std::make_unique<int>(5), 3});
  Reader in(out.view());
  const OnlyBuilt arrived = decode<OnlyBuilt>(in);
  EXPECT_EQ(arrived.name, "name");
  EXPECT_EQ(*arrived.owned, 5);
  EXPECT_EQ(arrived.size, 3U);
}

TEST(aggregate, with_bit_fields_arrives) {
  const Bits bits = sent(Bits{5, true, true, -9});
  EXPECT_EQ(bits.low, 5U);
  EXPECT_TRUE(bits.flag);
  EXPECT_TRUE(bits.whole);
  EXPECT_EQ(bits.number, -9);
  const BitsAndText both = sent(BitsAndText{7, "text", -3});
  EXPECT_EQ(both.low, 7U);
  EXPECT_EQ(both.text, "text");
  EXPECT_EQ(both.high, -3);
}

TEST(aggregate, that_holds_its_own_kind_arrives) {
  Node list{1, std::make_unique<Node>(Node{2, nullptr})};
  const Node arrived = sent(list);
  EXPECT_EQ(arrived.value, 1);
  EXPECT_EQ(arrived.next->value, 2);
  EXPECT_EQ(arrived.next->next, nullptr);

  const Tree tree{"root", {{"a", {}, {}}, {"b", {{"c", {}, {}}}, {}}}, {{1, {"d", {}, {}}}}};
  EXPECT_EQ(sent(tree), tree);

  Even even{std::make_unique<Odd>(Odd{std::make_unique<Even>()})};
  EXPECT_EQ(sent(even).below->below->below, nullptr);
}

TEST(aggregate, of_sixty_four_fields_arrives) {
  Many many{};
  many.a0 = 1;
  many.h6 = 2;
  many.last = "last";
  const Many arrived = sent(many);
  EXPECT_EQ(arrived.a0, 1);
  EXPECT_EQ(arrived.h6, 2);
  EXPECT_EQ(arrived.last, "last");
}

TEST(aggregate, counts_fields_that_need_an_initialiser) {
  struct Mixed {
    NoDefault first;
    int grid[2][3];
    Point points[2];
    std::string text;
    std::optional<NoDefault> maybe;
    NoDefault several[2];
    std::unique_ptr<NoDefault> owned;
  };
  EXPECT_EQ(shape::field_count<Mixed>, 7U);
  EXPECT_TRUE((std::is_same_v<
               shape::FieldsOf<Mixed>,
               shape::Types<NoDefault, int[2][3], Point[2], std::string, std::optional<NoDefault>,
                            NoDefault[2], std::unique_ptr<NoDefault>>>));
}

TEST(aggregate, counts_fields_with_default_initialisers) {
  struct Defaulted {
    NoDefault first = NoDefault(3);
    int second = 4;
  };
  EXPECT_EQ(shape::field_count<Defaulted>, 2U);
}

TEST(aggregate, is_refused_where_anything_in_it_refers_to_this_process) {
  EXPECT_FALSE(Encodable<WithPointer>);
  EXPECT_FALSE(Encodable<WithReference>);
  EXPECT_FALSE(Encodable<WithConstReference>);
  EXPECT_FALSE(Encodable<WithView>);
  EXPECT_FALSE(Encodable<DeepPointer>);
  EXPECT_FALSE(is_flat_v<WithPointer>);
}

TEST(aggregate, is_refused_where_its_fields_cannot_be_told_apart) {
  EXPECT_FALSE(Encodable<Derived>);
  EXPECT_FALSE(Encodable<EmptyBased>);
  EXPECT_FALSE(Encodable<Either>);
  EXPECT_FALSE(Encodable<WithPrivate>);
}

}  // namespace
}  // namespace brood::wire
