// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>

#include "explorer.hpp"
#include "races.hpp"

namespace brood::model {

// A mutex between fibers.
class Lock {
 public:
  void lock() {
    explorer().step({"is about to lock", this});
    if (held_) explorer().sleep_until([this] { return !held_; });
    held_ = true;
    races().loaded(this, std::memory_order_acquire);
    explorer().remark({"locks", this});
  }
  void unlock() {
    explorer().remark({"unlocks", this});
    races().stored(this, std::memory_order_release);
    held_ = false;
  }
  bool is_held() const noexcept { return held_; }

 private:
  bool held_ = false;
};

}  // namespace brood::model
