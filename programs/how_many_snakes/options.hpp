// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "how_many_snakes/answer.hpp"
#include "how_many_snakes/sample.hpp"

namespace snakes {

struct Options {
  std::string folder = "/usr/lib";
  bool hostile = false;
  std::size_t workers = 0;  // the most
  std::vector<Kind> kinds{Kind::threads, Kind::processes};
  std::size_t repeat = 1;
  Bounds bounds{.bytes = 200'000'000};
  std::string plot = "how_many_snakes.svg";
  std::string digests;  // empty: none
};

// A command line that cannot be; what() says what to write instead.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Prints the help and ends the program where that was asked for.
// Throws: UsageError.
Options read_options(int argc, char** argv);

}  // namespace snakes
