// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "lane/worker_end.hpp"

namespace brood::model {

// The user's code and what surrounds it in a worker, which makes its stores to the
// lane: it's compiled as the files under test are.
std::uint64_t read_argument(const lane::Claim& claim);
void begin_item(const lane::Claim& claim);
void end_item(const lane::Claim& claim, std::uint64_t value);

}  // namespace brood::model
