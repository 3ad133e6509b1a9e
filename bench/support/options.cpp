// SPDX-License-Identifier: MIT
#include "support/options.hpp"

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace bench {

Options read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--smoke") {
      options.smoke = true;
      options.rounds = 2;
    } else if (word == "--rounds" && i + 1 < argc && std::atoi(argv[i + 1]) > 0) {
      options.rounds = std::atoi(argv[++i]);
    } else {
      std::fprintf(stderr, "usage: %s [--smoke] [--rounds N]\n", argv[0]);
      std::exit(2);
    }
  }
  return options;
}

}  // namespace bench
