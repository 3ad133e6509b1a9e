// SPDX-License-Identifier: MIT
//
// Valgrind plays the kernel for its program, and ends one that asks for what it does not
// know.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/program.hpp"

namespace brood::testing {
namespace {

class Valgrind : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(contexts, Valgrind, ::testing::Values("forkserver", "fork"));

TEST_P(Valgrind, runs_a_program_with_all_that_brood_promises) {
  Program program({"/usr/bin/valgrind", "-q", "--tool=none", VICTIM_EXERCISER, GetParam()});
  EXPECT_EQ(program.exitcode(), 0);
  EXPECT_EQ(program.leftovers(), "");
  EXPECT_TRUE(program.falls_silent());
  EXPECT_THAT(program.output(), ::testing::HasSubstr("all is well\n"));
}

}  // namespace
}  // namespace brood::testing
