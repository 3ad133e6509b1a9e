// SPDX-License-Identifier: MIT
#include <brood/thread.hpp>

void worker(int) {}

brood::Thread thread{worker, "text"};
