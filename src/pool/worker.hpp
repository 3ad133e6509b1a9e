// SPDX-License-Identifier: MIT
#pragma once

#include "process/order.hpp"

namespace brood::detail {

// What a worker process does from its birth to its end. Its descriptors: the
// lane's memory, the lane's channel, the supervisor's bell, the charter.
int worker_main(process::Kit& kit);

// What a pool's own nursery does: runs the preload, says over its channel how
// that went, and serves. Its descriptors: a nursery's own, then the charter.
int preloading_nursery_main(process::Kit& kit);

// The first message over a preloading nursery's channel: empty when all is well,
// or the record of what the preload threw.
inline constexpr std::size_t most_preload_report = 4096;

}  // namespace brood::detail
