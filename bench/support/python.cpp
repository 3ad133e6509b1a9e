// SPDX-License-Identifier: MIT
#include "support/python.hpp"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace bench {

double ask_python(const std::string& order) {
  const std::string command = "python3 '" BROOD_YARDSTICKS "' " + order;
  FILE* const output = ::popen(command.c_str(), "r");
  if (!output) throw std::runtime_error("cannot run python3");
  double number = 0;
  const bool read = std::fscanf(output, "%lf", &number) == 1;
  if (::pclose(output) != 0 || !read) throw std::runtime_error("cannot measure: " + command);
  return number;
}

bool has_python() { return std::system("python3 -c '' 2>/dev/null") == 0; }

}  // namespace bench
