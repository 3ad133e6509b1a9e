// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <string>

namespace brood::wire {

// `TYPE: what()`, and only `TYPE` of what cannot say more.
std::string describe_exception(const std::exception_ptr& error);

}  // namespace brood::wire
