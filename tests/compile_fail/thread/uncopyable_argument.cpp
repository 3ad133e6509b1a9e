// SPDX-License-Identifier: MIT
#include <memory>

#include <brood/thread.hpp>

void worker(const std::unique_ptr<int>&) {}

std::unique_ptr<int> number;
brood::Thread thread{worker, number};
