// SPDX-License-Identifier: MIT
#include <chrono>

#include <brood/thread.hpp>

void worker(int) {}

brood::Timer timer{std::chrono::seconds(1), worker};
