// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace bench {

// How much to measure.
struct Options {
  bool smoke = false;  // so little that the numbers mean nothing: does it run at all?
  int rounds = 7;

  template <typename Size>
  Size size(Size full, Size tiny) const {
    return smoke ? tiny : full;
  }
};

// Reads [--smoke] [--rounds N]; exits with 2 for anything else.
Options read_options(int argc, char** argv);

}  // namespace bench
