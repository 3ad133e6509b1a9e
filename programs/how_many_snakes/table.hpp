// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "how_many_snakes/answer.hpp"

namespace snakes {

// Lines without their end.
std::string table_head();
std::string table_line(const Report& report, const Row& row);

}  // namespace snakes
