// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include <brood/pool/options.hpp>

namespace brood::detail {

// How many workers the options ask for; see PoolOptions::processes.
// Throws: ValueError for zero and less, and for a BROOD_PROCESSES that is none.
std::size_t pool_size(const PoolOptions& options);

// Throws: ValueError for what makes no sense in the options.
void require_sensible(const PoolOptions& options);

// A count that must be 1 at least. Throws: ValueError that names the field.
std::size_t require_positive(Count count, const char* field);

}  // namespace brood::detail
