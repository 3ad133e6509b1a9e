// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace snakes {

// A path as it can be shown: in single quotes, control characters as escapes, so
// that a name with a newline in it cannot pass for two lines of a report.
std::string in_quotes(std::string_view path);

}  // namespace snakes
