// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <typeinfo>

#include <brood/base/export.hpp>

namespace brood::wire {

// The type as a C++ programmer writes it, for messages: "std::vector<int>". Not
// for comparing: it differs between compilers.
BROOD_EXPORT std::string type_name(const std::type_info& type);

// Of T without references and cv.
template <typename T>
std::string type_name() {
  return type_name(typeid(T));
}

}  // namespace brood::wire
