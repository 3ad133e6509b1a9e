// SPDX-License-Identifier: MIT
#pragma once

#include <brood/pool/core.hpp>

namespace brood::detail {

// The engine of Context::forkserver, fork and spawn. See Core::make.
Core* make_process_engine(const PoolOptions& options);

}  // namespace brood::detail
