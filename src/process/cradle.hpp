// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>

#include "os/memory.hpp"

namespace brood::process {

// What a nursery shares with its program: which order it is at, and the pid of the child
// that it bore for it. The kernel writes that in the very call that makes the child, so it
// tells of a child that the nursery died before it could speak of.
class Cradle {
 public:
  static os::UniqueFd make_memory() { return os::make_memory("brood-cradle", sizeof(Place)); }

  // Neither the user's forks nor the nursery's children have it.
  explicit Cradle(int memory) : mapping_(os::map_shared(memory, sizeof(Place))) {
    mapping_.not_in_forks();
    at(0);  // the page is there before it's needed
  }

  // By the nursery, before it bears: orders are counted from 1.
  // Survives: death between the two; the order before was answered, and of this one there
  // is no child.
  void at(std::uint32_t order) noexcept {
    shared().newborn.store(0, std::memory_order_release);
    shared().order.store(order, std::memory_order_release);
  }
  // The child of that order, 0 where none was born. Requires: the nursery has ended.
  int newborn_of(std::uint32_t order) const noexcept {
    const bool was_at_it = shared().order.load(std::memory_order_acquire) == order;
    return was_at_it ? shared().newborn.load(std::memory_order_acquire) : 0;
  }
  // For the kernel, in the nursery.
  int* newborn() noexcept { return reinterpret_cast<int*>(&shared().newborn); }

 private:
  struct Place {
    std::atomic<std::uint32_t> order;
    std::atomic<std::int32_t> newborn;
  };
  static_assert(std::atomic<std::int32_t>::is_always_lock_free && sizeof(Place) == 2 * sizeof(int));

  Place& shared() const noexcept { return *reinterpret_cast<Place*>(mapping_.data()); }

  os::Mapping mapping_;
};

}  // namespace brood::process
