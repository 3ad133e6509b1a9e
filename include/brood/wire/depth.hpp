// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include <brood/base/export.hpp>

namespace brood::wire {

// How deeply values may hold further values of their own kind: a list of
// unique_ptrs, a tree. Each level costs the reader stack, and a message that a
// dying worker left may claim any depth, so both sides stop here.
inline constexpr std::size_t deepest = 2000;

[[noreturn]] BROOD_EXPORT void throw_too_deep();

// The levels that are open. A level with large frames counts for several.
class Depth {
 public:
  // One open level, for as long as it lives.
  class Level {
   public:
    Level(Depth& depth, std::size_t frame_in_bytes)
        : depth_(depth), cost_(1 + frame_in_bytes / 512) {
      if (cost_ > deepest - depth_.levels_) [[unlikely]]
        throw_too_deep();
      depth_.levels_ += cost_;
    }
    ~Level() { depth_.levels_ -= cost_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Depth& depth_;
    std::size_t cost_;
  };

 private:
  std::size_t levels_ = 0;
};

}  // namespace brood::wire
