// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace brood::wire {

// A type's or function's name as a C++ programmer writes it; unchanged where it's
// no name of C++.
std::string demangle(const char* name);

}  // namespace brood::wire
