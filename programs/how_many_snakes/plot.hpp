// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "how_many_snakes/answer.hpp"

namespace snakes {

// Speedup over the number of workers, a curve for each kind of worker beside the
// ideal, as SVG.
std::string plot(const Report& report, const Machine& machine, const std::string& title);

}  // namespace snakes
