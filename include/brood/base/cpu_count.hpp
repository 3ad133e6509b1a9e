// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include <brood/base/export.hpp>

namespace brood {

// How many CPUs this process can really use: the smaller of its affinity mask
// and its cgroup's CPU quota (rounded up; version 1 and 2, the tightest of the
// hierarchy). At least 1. What a Pool of no stated size has as workers, unless
// the environment variable BROOD_PROCESSES says otherwise.
BROOD_EXPORT std::size_t cpu_count();

}  // namespace brood
