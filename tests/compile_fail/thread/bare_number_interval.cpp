// SPDX-License-Identifier: MIT
#include <brood/thread.hpp>

void worker() {}

brood::Timer timer{2, worker};
