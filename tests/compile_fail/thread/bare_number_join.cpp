// SPDX-License-Identifier: MIT
#include <brood/thread.hpp>

bool joined(brood::Thread& thread) { return thread.join(2); }
