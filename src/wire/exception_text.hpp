// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <string>

namespace brood::wire {

// What an exception says, which may be a null pointer.
inline const char* text_or_nothing(const char* said) noexcept { return said ? said : ""; }

// `TYPE: what()`, and only `TYPE` of what cannot say more.
std::string describe_exception(const std::exception_ptr& error);

}  // namespace brood::wire
