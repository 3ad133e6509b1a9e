// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <thread>

namespace brood::detail {

// A lock for what takes a moment: whoever finds it taken looks again instead of going to
// sleep, which would take much longer. Where its holder has no core, others give him theirs.
class BriefLock {
 public:
  void lock() noexcept {
    for (int looks = 0; taken_.exchange(true, std::memory_order_acquire); ++looks) {
      while (taken_.load(std::memory_order_relaxed)) {
        if (++looks % 64 == 0) std::this_thread::yield();
      }
    }
  }
  void unlock() noexcept { taken_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> taken_{false};
};

}  // namespace brood::detail
