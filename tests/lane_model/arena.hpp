// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "state_set.hpp"

namespace brood::model {

// Where a world's objects live. While it's open, `new` takes from here, always
// the same addresses; an execution is dropped whole, without a destructor run.
class Arena {
 public:
  void open() noexcept { open_ = true; }
  void close() noexcept { open_ = false; }
  bool is_open() const noexcept { return open_; }
  void reset() noexcept;
  void* take(std::size_t size, std::size_t alignment);
  bool holds(const void* at) const noexcept { return at >= memory_ && at < memory_ + size_; }
  // Of all that lies there.
  Hash sum() const noexcept;

 private:
  static constexpr std::size_t size_ = std::size_t{4} << 20;
  alignas(64) std::byte memory_[size_];
  std::size_t used_ = 0;
  bool open_ = false;
};

Arena& arena() noexcept;

}  // namespace brood::model
