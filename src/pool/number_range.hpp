// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>

namespace brood::detail {

// Numbers that one thread has taken, for its next jobs: more at once the more it has used,
// so that threads do not meet at each. Consecutive where all come from one thread.
class NumberRange {
 public:
  static constexpr std::uint64_t most = 32;

  // `size`: how many it takes the first time.
  constexpr explicit NumberRange(std::uint64_t size = 1) noexcept : size_(size) {}

  // `reserve(count)`: the first of so many new ones.
  template <typename Reserve>
  std::uint64_t take(const Reserve& reserve) noexcept {
    if (next_ == end_) {
      next_ = reserve(size_);
      end_ = next_ + size_;
      size_ = std::min(2 * size_, most);
    }
    return next_++;
  }

 private:
  std::uint64_t next_ = 0;
  std::uint64_t end_ = 0;
  std::uint64_t size_;
};

}  // namespace brood::detail
