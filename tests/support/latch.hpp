// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <mutex>

namespace brood::testing {

// A number that one thread waits for and another one says; never 0.
struct Latch {
  std::mutex mutex;
  std::condition_variable changed;
  int value = 0;
  void set(int v) {
    const std::lock_guard lock(mutex);
    value = v;
    changed.notify_all();
  }
  int wait() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return value != 0; });
    return value;
  }
};

}  // namespace brood::testing
