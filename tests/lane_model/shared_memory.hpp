// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "state_set.hpp"

namespace brood::model {

// The memory of all lanes. Zero at the beginning of each execution.
class SharedMemory {
 public:
  static constexpr std::size_t most_lanes = 3;
  static constexpr std::size_t lane_size = std::size_t{1280} << 10;

  std::byte* lane(std::size_t number) noexcept { return memory_ + number * lane_size; }
  bool holds(const void* at) const noexcept {
    return at >= memory_ && at < memory_ + sizeof memory_;
  }
  std::size_t offset(const void* at) const noexcept {
    return static_cast<std::size_t>(static_cast<const std::byte*>(at) - memory_);
  }
  // Will be written.
  void touch(const void* begin, std::size_t size);
  void reset() noexcept;
  Hash sum() const noexcept;

 private:
  static constexpr std::size_t line = 64;
  alignas(4096) std::byte memory_[most_lanes * lane_size];
  bool touched_[most_lanes * lane_size / line] = {};
  std::uint32_t lines_[4096];
  std::size_t line_count_ = 0;
};

SharedMemory& shared_memory() noexcept;

}  // namespace brood::model
