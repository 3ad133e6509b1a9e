// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

namespace bench {

// Runs a part of a benchmark in a child of its own, so that each can have other
// CPUs, another heap, another brood::init. Exits with 1 when it failed.
// Requires: one thread.
void in_own_process(const std::function<void()>& part);

}  // namespace bench
