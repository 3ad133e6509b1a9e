// SPDX-License-Identifier: MIT
#include <brood/wire/task.hpp>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <brood/base/error.hpp>

#include "wire/shipped.hpp"

namespace brood::wire {
namespace {

std::string joined(const std::string& a, const std::string& b) { return a + b; }
int sum(const std::vector<int>& numbers) {
  int total = 0;
  for (const int number : numbers) total += number;
  return total;
}
int taken(std::unique_ptr<int> number, int more) { return *number + more; }

TEST(task, binds_the_first_arguments) {
  const auto greet = task(joined, "hello ");
  EXPECT_EQ(greet("you"), "hello you");
  EXPECT_EQ(shipped(greet)("me"), "hello me");
  EXPECT_EQ(shipped(task(joined, "a", "b"))(), "ab");
  EXPECT_EQ(shipped(task([] { return 4; }))(), 4);
}

TEST(task, keeps_what_only_looks_at_memory_as_values) {
  static_assert(
      std::is_same_v<decltype(task(joined, "a")),
                     Task<std::string (*)(const std::string&, const std::string&), std::string>>);
  std::string text = "before";
  const auto of_view = task(joined, std::string_view(text), text.c_str());
  std::vector<int> numbers{1, 2, 3};
  const auto of_span = task(sum, std::span<const int>(numbers));
  text = "after!";
  numbers.assign(3, 100);
  EXPECT_EQ(shipped(of_view)(), "beforebefore");
  EXPECT_EQ(shipped(of_span)(), 6);
}

TEST(task, copies_references_when_it_is_made) {
  int number = 3;
  const auto f = task([](int x) { return x; }, number);
  number = 4;
  EXPECT_EQ(f(), 3);
  EXPECT_EQ(shipped(f)(), 3);
}

TEST(task, takes_what_can_only_be_moved) {
  auto f = task(taken, std::make_unique<int>(40));
  static_assert(!std::is_copy_constructible_v<decltype(f)>);
  auto arrived = shipped(f);
  EXPECT_EQ(std::move(arrived)(2), 42);
  EXPECT_EQ(std::move(f)(1), 41);
}

TEST(task, may_be_a_tasks_callable) {
  const auto inner = task([](int a, int b, int c) { return 100 * a + 10 * b + c; }, 1);
  const auto outer = task(inner, 2);
  EXPECT_EQ(outer(3), 123);
  EXPECT_EQ(shipped(outer)(4), 124);
}

TEST(task, binds_the_object_of_a_member_function) {
  EXPECT_EQ(shipped(task(&std::string::size, "four"))(), 4u);
}

TEST(task, of_a_function_object_ships_both_states) {
  struct Adder {
    std::vector<int> offsets;
    int operator()(int x, int y) const { return offsets.at(0) + x + y; }
  };
  EXPECT_EQ(shipped(task(Adder{{100}}, 20))(3), 123);
}

TEST(task, may_be_called_many_times) {
  const auto f = task([](std::string text) { return std::move(text) + "!"; }, "again");
  EXPECT_EQ(f(), "again!");
  EXPECT_EQ(f(), "again!");
}

TEST(task, checks_the_captures_of_its_callable) {
  int here = 1;
  EXPECT_THROW(shipped(task([&here](int x) { return here + x; }, 1)), ShipError);
  EXPECT_THROW(shipped(task(task([&here](int x) { return here + x; }, 1))), ShipError);
}

TEST(task, may_not_bind_a_null_string) {
  const char* nothing = nullptr;
  EXPECT_THROW(task(joined, nothing), ValueError);
}

TEST(task, leaves_its_callable_the_parameters_that_are_not_bound) {
  const auto f = task([](int, double, char) {}, 1);
  EXPECT_TRUE(has_known_signature_v<decltype(f)>);
  static_assert(std::is_same_v<parameter_t<0, decltype(f)>, double>);
  static_assert(std::is_same_v<parameter_t<1, decltype(f)>, char>);
  static_assert(std::is_void_v<parameter_t<2, decltype(f)>>);
}

}  // namespace
}  // namespace brood::wire
