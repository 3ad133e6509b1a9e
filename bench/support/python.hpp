// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace bench {

// CPython's multiprocessing, as bench/yardsticks.py measures it: `order` is its
// command line, the answer the number that it prints.
// Throws: std::runtime_error when it fails.
double ask_python(const std::string& order);

// Whether there's a python3 here.
bool has_python();

}  // namespace bench
