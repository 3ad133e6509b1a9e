// SPDX-License-Identifier: MIT
#include <brood/wire/signature.hpp>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include <brood/wire/call_type.hpp>

namespace brood::wire {

// None of these is ever called.
int function(long, const std::string&);
int quiet(long) noexcept;

namespace {

template <typename F, typename... Parameters>
constexpr bool takes =
    std::is_same_v<typename signature_of<F>::parameters, TypeList<Parameters...>>;

struct Object {
  int value(int);
  int fixed(int) const noexcept;
  int lvalue() &;
  int rvalue() &&;
  int data = 0;
};

struct Overloaded {
  int operator()(int) const;
  int operator()(double) const;
};

TEST(signature, of_a_function_is_its_parameters) {
  EXPECT_TRUE((takes<decltype(function), long, const std::string&>));
  EXPECT_TRUE((takes<decltype(&function), long, const std::string&>));
  EXPECT_TRUE((takes<decltype(quiet), long>));
}

TEST(signature, of_a_lambda_is_that_of_its_call) {
  const auto plain = [](int, double&) { return 'c'; };
  auto changing = [](char) mutable {};
  auto silent = [](short) noexcept {};
  EXPECT_TRUE((takes<decltype(plain), int, double&>));
  EXPECT_TRUE((takes<decltype(changing), char>));
  EXPECT_TRUE((takes<decltype(silent), short>));
  EXPECT_TRUE((std::is_same_v<signature_of<decltype(plain)>::result, char>));
}

TEST(signature, of_a_member_begins_with_its_object) {
  EXPECT_TRUE((takes<decltype(&Object::value), Object, int>));
  EXPECT_TRUE((takes<decltype(&Object::fixed), const Object, int>));
  EXPECT_TRUE((takes<decltype(&Object::lvalue), Object&>));
  EXPECT_TRUE((takes<decltype(&Object::rvalue), Object&&>));
  EXPECT_TRUE((takes<decltype(&Object::data), const Object>));
}

TEST(signature, of_what_deduces_is_unknown) {
  const auto generic = [](auto) {};
  EXPECT_FALSE(has_known_signature_v<decltype(generic)>);
  EXPECT_FALSE(has_known_signature_v<Overloaded>);
  EXPECT_FALSE(has_known_signature_v<std::plus<>>);
  EXPECT_TRUE(has_known_signature_v<std::plus<int>>);
  EXPECT_TRUE((std::is_void_v<parameter_t<0, decltype(generic)>>));
}

TEST(signature, gives_a_braced_list_the_type_of_the_first_parameter) {
  EXPECT_TRUE((std::is_same_v<first_parameter_t<decltype(function)>, long>));
  EXPECT_TRUE((std::is_same_v<first_parameter_t<void (*)(const std::string&)>, std::string>));
  EXPECT_TRUE((std::is_same_v<first_parameter_t<void (*)(std::string_view)>, std::string>));
  EXPECT_TRUE(
      (std::is_same_v<first_parameter_t<void (*)(std::span<const int>)>, std::vector<int>>));
  EXPECT_TRUE((std::is_void_v<first_parameter_t<void (*)()>>));
}

TEST(call_type, is_what_the_call_returns_decayed) {
  const auto by_reference = [](const std::string& text) -> const std::string& { return text; };
  const auto generic = [](auto x) { return x; };
  EXPECT_TRUE((std::is_same_v<call_result_t<decltype(function), long, const char*>, int>));
  EXPECT_TRUE((std::is_same_v<call_result_t<decltype(by_reference), std::string>, std::string>));
  EXPECT_TRUE((std::is_same_v<call_result_t<decltype(generic), const char(&)[4]>, std::string>));
  EXPECT_TRUE((std::is_same_v<call_result_t<decltype(&Object::value), Object, int>, int>));
  EXPECT_TRUE((std::is_void_v<call_result_t<void (*)()>>));
}

template <typename F, typename... Args>
constexpr detail::Problem problem = detail::call_of<F, Args...>::problem();

TEST(call_type, says_why_a_call_cannot_be) {
  using detail::Problem;
  const auto any_lvalue = [](auto&) {};
  EXPECT_EQ((problem<void (*)(int), int>), Problem::none);
  EXPECT_EQ((problem<void (*)(int), double>), Problem::none);
  EXPECT_EQ((problem<void (*)(int&), int&>), Problem::mutable_reference);
  EXPECT_EQ((problem<decltype(any_lvalue), int&>), Problem::mutable_reference);
  EXPECT_EQ((problem<decltype(&Object::lvalue), Object>), Problem::mutable_reference);
  EXPECT_EQ((problem<void (*)(std::span<int>), std::vector<int>>), Problem::mutable_span);
  EXPECT_EQ((problem<void (*)(const char*), const char*>), Problem::pointer);
  EXPECT_EQ((problem<void (*)(int), std::string>), Problem::other);
  EXPECT_EQ((problem<void (*)(int)>), Problem::other);
  EXPECT_EQ((problem<void (*)(), int>), Problem::other);
  EXPECT_EQ((problem<decltype(&Object::rvalue), Object>), Problem::none);
}

TEST(call_type, lets_views_look_at_what_travels) {
  EXPECT_TRUE((CanCall<void (*)(std::string_view), const char*>));
  EXPECT_TRUE((CanCall<void (*)(std::span<const int>), std::vector<int>>));
  EXPECT_TRUE((CanCall<void (*)(std::unique_ptr<int>), std::unique_ptr<int>>));
  EXPECT_TRUE((CanCall<void (*)(const std::string&), std::string&>));
  EXPECT_TRUE((CanCall<void (*)(std::string&&), std::string&>));
}

}  // namespace
}  // namespace brood::wire
