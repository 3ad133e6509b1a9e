// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace brood::detail {

// Numbers that one thread has taken, for its next jobs: more at once the more it has used,
// so that threads do not meet at each. Consecutive where all come from one thread.
class NumberRange {
 public:
  static constexpr std::uint64_t most = 32;
  // For a thread that has many from the start. Some lines in a row: processors fetch those
  // that follow ahead, which another thread may be writing to.
  static constexpr std::uint64_t many = 256;

  // `size`: how many it takes the first time, a power of two.
  constexpr explicit NumberRange(std::uint64_t size = 1) noexcept : size_(size) {}

  // `latest`: the latest number that anybody has, from which they all take theirs. A range
  // ends before a multiple of its size, so that what's kept of its numbers, in a table, lies
  // in cache lines of its own. `reserved(first, end)` is called for those that are new.
  template <typename Reserved>
  std::uint64_t take(std::atomic<std::uint64_t>& latest, const Reserved& reserved) noexcept {
    if (next_ == end_) {
      std::uint64_t before = latest.load(std::memory_order_relaxed);
      do {
        next_ = before + 1;
        end_ = (next_ + size_) & ~(size_ - 1);
      } while (!latest.compare_exchange_weak(before, end_ - 1, std::memory_order_relaxed));
      size_ = std::max(size_, std::min(2 * size_, most));
      reserved(next_, end_);
    }
    return next_++;
  }

 private:
  std::uint64_t next_ = 0;
  std::uint64_t end_ = 0;
  std::uint64_t size_;
};

}  // namespace brood::detail
