// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include <brood/pool/options.hpp>

namespace brood::detail {

// Throws: ValueError for a priority that no niceness can be.
void require_sensible_priority(const PoolOptions& options);

// What a worker's is to be, if the options say. For the thread that makes the pool.
// Throws: SystemError where the system doesn't permit it.
std::optional<int> niceness_for(const PoolOptions& options);

}  // namespace brood::detail
