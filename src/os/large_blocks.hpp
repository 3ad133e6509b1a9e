// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <utility>

#include "base/large_blocks.hpp"

// What concerns all blocks at once, and those who read them.
namespace brood::os {

// Gives those back to the kernel that nobody has, and the others once they come back.
void forget_large_blocks() noexcept;

// One that somebody reads, whoever has given it back since.
class HeldBlock {
 public:
  HeldBlock() noexcept = default;
  // None, where no block begins there, or it can't hold so much.
  HeldBlock(const std::byte* begin, std::size_t size) noexcept;
  HeldBlock(HeldBlock&& other) noexcept
      : begin_(std::exchange(other.begin_, nullptr)), descriptor_(other.descriptor_) {}
  HeldBlock& operator=(HeldBlock&& other) noexcept {
    std::swap(begin_, other.begin_);
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~HeldBlock() {
    if (begin_) let_go();
  }

  explicit operator bool() const noexcept { return begin_ != nullptr; }
  // To be sent to whoever is to read it. Requires: it's held.
  int descriptor() const noexcept { return descriptor_; }

 private:
  void let_go() noexcept;

  const std::byte* begin_ = nullptr;
  int descriptor_ = -1;
};

}  // namespace brood::os
