// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include <brood/thread.hpp>

namespace brood {

// All that runs before a test adds to it: main, and a sanitizer's own thread,
// which is born with the first of the others.
inline std::vector<ThreadInfo> bystanders() {
  Thread first{[] {}};
  first.start();
  first.join();
  return enumerate();
}

}  // namespace brood
