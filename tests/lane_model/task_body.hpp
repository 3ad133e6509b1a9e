// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "lane/worker_end.hpp"

namespace brood::model {

// The user's code and what surrounds it in a worker, which makes its stores to the
// lane: it's compiled as the files under test are.
std::uint64_t read_argument(std::span<const std::byte> callable);
void begin_item(const lane::Claim& claim);
void end_item(const lane::Claim& claim, std::uint64_t value);
// The same for one of those that share a slot. False: the parent has it back.
bool begin_bundled(const lane::Claim& claim, std::size_t place);
void end_bundled(const lane::Claim& claim, std::size_t place, std::uint64_t value);

}  // namespace brood::model
