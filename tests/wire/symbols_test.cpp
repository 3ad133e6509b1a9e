// SPDX-License-Identifier: MIT
#include "wire/symbols.hpp"

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <brood/wire/callable_label.hpp>
#include <brood/wire/encode.hpp>
#include <brood/wire/task.hpp>

namespace symbols_test {

[[gnu::noinline]] int named(int x) { return x + 1; }

struct Member {
  [[gnu::noinline]] int twice(int x) const { return 2 * x; }
  virtual int thrice(int x) const { return 3 * x; }
  virtual ~Member() = default;
};

struct Functor {
  int operator()(int x) const { return x; }
};

}  // namespace symbols_test

namespace brood::wire {
namespace {

TEST(code, of_a_function_has_its_name) {
  EXPECT_EQ(function_name(locate(&symbols_test::named)), "symbols_test::named(int)");
}

TEST(code, of_another_image_has_a_name_too) {
  EXPECT_EQ(function_name(locate(&std::abort)), "abort");
}

TEST(code, is_described_with_its_file_where_the_program_has_debug_information) {
  const auto lines = describe_code(locate(&symbols_test::named));
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines[0].rfind("symbols_test::named(int)", 0), 0U) << lines[0];
#ifndef NDEBUG
  EXPECT_NE(lines[0].find("symbols_test.cpp:"), std::string::npos) << lines[0];
#endif
}

// What a dying worker wrote may be any number.
TEST(code, that_is_nowhere_is_described_by_its_numbers) {
  const CodeRef here = locate(&symbols_test::named);
  for (const CodeRef nowhere :
       {CodeRef{0, 0x1234}, CodeRef{here.image, ~std::uint64_t{0}}, CodeRef{77, 0x1234}}) {
    EXPECT_EQ(function_name(nowhere), "");
    const auto lines = describe_code(nowhere);
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0].rfind("0x", 0), 0U) << lines[0];
  }
}

template <typename F>
std::string label(const F& f) {
  Buffer bytes;
  encode_callable<std::decay_t<F>>(bytes, f);
  Reader in({bytes.data(), bytes.size()});
  return name_of(*callable_label<F>.type, code_of(callable_label<F>, in));
}

TEST(callable_label, is_a_functions_own_name) {
  EXPECT_EQ(label(&symbols_test::named), "symbols_test::named(int)");
  EXPECT_EQ(label(&symbols_test::Member::twice), "symbols_test::Member::twice(int) const");
}

// Which function it is depends on the object.
TEST(callable_label, of_a_virtual_function_is_its_type) {
  EXPECT_EQ(label(&symbols_test::Member::thrice), "int (symbols_test::Member::*)(int) const");
}

TEST(callable_label, looks_through_what_binds_and_vouches) {
  EXPECT_EQ(label(task(&symbols_test::named, 3)), "symbols_test::named(int)");
  EXPECT_EQ(label(values(&symbols_test::named)), "symbols_test::named(int)");
}

TEST(callable_label, is_a_types_name_otherwise) {
  EXPECT_EQ(label(symbols_test::Functor{}), "symbols_test::Functor");
  // As GCC and Clang call it.
  EXPECT_THAT(label([] {}), ::testing::AnyOf(::testing::HasSubstr("lambda"),
                                             ::testing::HasSubstr("TestBody()::$_")));
}

}  // namespace
}  // namespace brood::wire
