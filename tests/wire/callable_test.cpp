// SPDX-License-Identifier: MIT
#include <brood/wire/callable.hpp>

#include <array>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <brood/base/error.hpp>

#include "wire/shipped.hpp"

namespace brood::wire {

// With external linkage, as most are.
int square(int x) { return x * x; }

namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

int hidden(int x) { return x + 1; }
int quiet(int x) noexcept { return x + 2; }
int overloaded(int x) { return x; }
double overloaded(double x) { return -x; }
template <typename T>
T doubled(T x) {
  return x + x;
}

TEST(callable, a_function_arrives_as_itself) {
  EXPECT_EQ(shipped(square), &square);
  EXPECT_EQ(shipped(&hidden), &hidden);
  EXPECT_EQ(shipped(&doubled<int>)(4), 8);
  EXPECT_EQ(shipped(static_cast<double (*)(double)>(&overloaded))(2.0), -2.0);
  EXPECT_EQ(shipped(static_cast<int (*)(int)>(&overloaded))(2), 2);
}

TEST(callable, a_noexcept_function_arrives_as_itself) {
  static_assert(std::is_same_v<decltype(shipped(quiet)), int (*)(int) noexcept>);
  EXPECT_EQ(shipped(quiet), &quiet);
}

TEST(callable, a_function_of_a_shared_library_arrives_as_itself) {
  double (*const root)(double) = &std::sqrt;
  EXPECT_EQ(shipped(root)(9.0), 3.0);
}

TEST(callable, a_null_function_is_refused) {
  int (*const nothing)(int) = nullptr;
  EXPECT_THAT([&] { shipped(nothing); }, ThrowsMessage<ShipError>(HasSubstr("null function")));
}

TEST(callable, a_captureless_lambda_travels_as_nothing) {
  const auto add = [](int x, int y) { return x + y; };
  Buffer out;
  encode_callable(out, add);
  EXPECT_EQ(out.size(), 0u);
  EXPECT_EQ(shipped(add)(3, 4), 7);
  EXPECT_EQ(shipped([](auto x) { return x + x; })(std::string("ab")), "abab");
}

struct NoDefault {
  explicit NoDefault(int) {}
  NoDefault(const NoDefault&) {}
  int operator()() const { return 5; }
};

TEST(callable, an_empty_function_object_travels_as_nothing) {
  EXPECT_EQ(shipped(std::plus<>())(3, 4), 7);
  EXPECT_EQ(shipped(std::less<int>())(3, 4), true);
  EXPECT_EQ(callable_kind_v<NoDefault>, CallableKind::empty);
  EXPECT_EQ(shipped(NoDefault(1))(), 5);
}

struct Base {
  virtual ~Base() = default;
  virtual std::string who() const { return "base"; }
  int first = 1;
};

struct Other {
  int plain() const { return second; }
  int second = 2;
};

struct Derived : Base, Other {
  std::string who() const override { return "derived"; }
  int changed(int by) & { return first += by; }
  int gone() && noexcept { return first; }
};

TEST(callable, a_member_function_arrives_as_itself) {
  Derived derived;
  EXPECT_EQ(std::invoke(shipped(&Derived::changed), derived, 4), 5);
  EXPECT_EQ(std::invoke(shipped(&Derived::gone), Derived()), 1);
  EXPECT_EQ(shipped(&Derived::changed), &Derived::changed);
}

TEST(callable, a_virtual_member_function_still_is_one) {
  EXPECT_EQ(std::invoke(shipped(&Base::who), Derived()), "derived");
  EXPECT_EQ(std::invoke(shipped(&Base::who), Base()), "base");
}

// Without virtual functions: GCC's sanitizer takes the base for a Derived.
struct First {
  int first = 1;
};
struct Both : First, Other {};

TEST(callable, a_member_function_of_a_second_base_keeps_its_adjustment) {
  int (Both::* const inherited)() const = &Other::plain;
  EXPECT_EQ(std::invoke(shipped(inherited), Both()), 2);
}

TEST(callable, a_member_data_pointer_arrives_as_itself) {
  EXPECT_EQ(std::invoke(shipped(&Other::second), Other()), 2);
  int Derived::* const inherited = &Other::second;
  EXPECT_EQ(std::invoke(shipped(inherited), Derived()), 2);
}

TEST(callable, a_null_pointer_to_member_is_refused) {
  int (Other::* const function)() const = nullptr;
  int Other::* const data = nullptr;
  EXPECT_THAT([&] { shipped(function); }, ThrowsMessage<ShipError>(HasSubstr("null pointer")));
  EXPECT_THAT([&] { shipped(data); }, ThrowsMessage<ShipError>(HasSubstr("null pointer")));
}

struct Named {
  std::string prefix;
  std::vector<int> numbers;
  std::string operator()(int i) const {
    return prefix + std::to_string(numbers.at(static_cast<std::size_t>(i)));
  }
};

class Custom {
 public:
  Custom() = default;
  explicit Custom(std::string text) : text_(std::move(text)) {}
  std::string operator()() const { return text_; }
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(text_);
  }

 private:
  std::string text_;
};

TEST(callable, a_function_object_travels_with_its_members) {
  EXPECT_EQ(callable_kind_v<Named>, CallableKind::encodable);
  EXPECT_EQ(shipped(Named{"no. ", {7, 8}})(1), "no. 8");
}

TEST(callable, a_function_object_travels_by_its_own_serialization) {
  EXPECT_EQ(shipped(Custom("kept"))(), "kept");
}

TEST(callable, captured_numbers_travel_as_bytes) {
  int offset = 40;
  double factor = 0.5;
  const std::array<char, 3> letters{'a', 'b', 'c'};
  const auto f = [offset, factor, letters](int x) { return factor * (x + offset) + letters[1]; };
  EXPECT_EQ(callable_kind_v<decltype(f)>, CallableKind::bytes);
  EXPECT_EQ(shipped(f)(2), 21.0 + 'b');
}

TEST(callable, a_mutable_lambda_travels_with_the_state_it_has) {
  auto count = [n = 0]() mutable { return ++n; };
  count();
  auto arrived = shipped(count);
  EXPECT_EQ(arrived(), 2);
  EXPECT_EQ(arrived(), 3);
  EXPECT_EQ(count(), 2);
}

TEST(callable, what_cannot_travel_is_known_to_the_compiler) {
  const auto text = [s = std::string()] { return s; };
  const auto owner = [p = std::unique_ptr<int>()] { return !p; };
  const auto tuple = [t = std::tuple<int, int>()] { return std::get<0>(t); };
  EXPECT_FALSE(is_shippable_callable_v<decltype(text)>);
  EXPECT_FALSE(is_shippable_callable_v<decltype(owner)>);
  EXPECT_FALSE(is_shippable_callable_v<decltype(tuple)>);
  EXPECT_FALSE(is_shippable_callable_v<std::function<void()>>);
  EXPECT_FALSE(is_shippable_callable_v<decltype(std::ref(square))>);
  EXPECT_FALSE(is_shippable_callable_v<decltype(std::bind(square, 1))>);
  EXPECT_FALSE(is_shippable_callable_v<int>);
  EXPECT_TRUE(is_shippable_callable_v<decltype(square)>);
  EXPECT_TRUE(is_shippable_callable_v<decltype(local(text))>);
}

TEST(callable, a_message_cut_short_is_an_error) {
  Buffer out;
  encode_callable<Named>(out, Named{"prefix", {1, 2, 3}});
  encode_callable<int (*)(int)>(out, &square);
  for (std::size_t size = 0; size < out.size(); ++size) {
    Reader in(out.view().first(size));
    EXPECT_THROW(
        {
          decode_callable<Named>(in);
          decode_callable<int (*)(int)>(in);
        },
        ShipError)
        << size;
  }
}

}  // namespace
}  // namespace brood::wire
