// SPDX-License-Identifier: MIT
//
// What a worker must do between its birth and its first task.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include <brood/brood.hpp>

#include "support/program.hpp"

namespace brood {
namespace {

long page_faults() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

// Prints how many pages its first worker touched until its first task.
void count_page_faults() {
  Pool pool{{.processes = 1}};
  std::cout << pool.apply(page_faults) << std::endl;
}

// The fewest of some runs: what the machine does meanwhile adds to them.
long fewest_page_faults(const testing::Program::Setup& setup) {
  long fewest = std::numeric_limits<long>::max();
  for (int run = 0; run < 5; ++run) {
    testing::Program program({"/proc/self/exe", "count"}, setup);
    EXPECT_EQ(program.exitcode(), 0);
    program.falls_silent();
    fewest = std::min(fewest, std::stol(program.output()));
  }
  return fewest;
}

// The loader looks for one in the tables of all libraries, which touches some ten pages.
TEST(newborn, calls_no_function_that_the_loader_must_find_first) {
  const long as_usual = fewest_page_faults([] { ::unsetenv("LD_BIND_NOW"); });
  const long with_all_found = fewest_page_faults([] { ::setenv("LD_BIND_NOW", "1", 1); });
  EXPECT_LT(as_usual, with_all_found + 6);
}

}  // namespace
}  // namespace brood

int main(int argc, char** argv) {
  brood::page_faults();  // which the loader has found, then
  brood::init(argc, argv);
  if (argc == 2 && std::string_view(argv[1]) == "count") {
    brood::count_page_faults();
    return 0;
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
