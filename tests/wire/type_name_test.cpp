// SPDX-License-Identifier: MIT
#include <brood/wire/type_name.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include <gtest/gtest.h>

namespace brood::wire {

struct Crate {};

namespace {

TEST(type_name, is_what_a_programmer_writes) {
  EXPECT_EQ(type_name<int>(), "int");
  EXPECT_EQ(type_name<Crate>(), "brood::wire::Crate");
  EXPECT_EQ(type_name<std::string>(), "std::string");
  EXPECT_EQ(type_name<std::vector<int>>(), "std::vector<int>");
}

TEST(type_name, leaves_out_arguments_that_nobody_writes) {
  EXPECT_EQ((type_name<std::map<std::string, std::vector<Crate>>>()),
            "std::map<std::string, std::vector<brood::wire::Crate>>");
  EXPECT_EQ(type_name<std::unordered_set<long>>(), "std::unordered_set<long>");
  EXPECT_EQ(type_name<std::unique_ptr<Crate>>(), "std::unique_ptr<brood::wire::Crate>");
}

TEST(type_name, ignores_reference_and_const) { EXPECT_EQ(type_name<const int&>(), "int"); }

TEST(type_name, of_a_function_type_is_spelt_out) {
  EXPECT_EQ(type_name<int(long)>(), "int (long)");
}

}  // namespace
}  // namespace brood::wire
