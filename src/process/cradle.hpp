// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "os/memory.hpp"
#include "process/order.hpp"

namespace brood::process {

// What a nursery shares with its program: which row of orders it is at, and the pids of the
// children that it bore for it. The kernel writes each in the very call that makes the child,
// so they tell of children that the nursery died before it could speak of.
class Cradle {
 public:
  static os::UniqueFd make_memory() { return os::make_memory("brood-cradle", sizeof(Place)); }

  // Neither the user's forks nor the nursery's children have it.
  explicit Cradle(int memory) : mapping_(os::map_shared(memory, sizeof(Place))) {
    mapping_.not_in_forks();
    at(0);  // the page is there before it's needed
  }

  // By the nursery, before it bears: rows are counted from 1.
  // Survives: death between the stores; the row before was answered, and of this one there
  // is no child.
  void at(std::uint32_t row) noexcept {
    for (auto& newborn : shared().newborns) newborn.store(0, std::memory_order_release);
    shared().row.store(row, std::memory_order_release);
  }
  // The children of that row, 0 where none was born. Requires: the nursery has ended.
  std::array<int, most_in_row> newborns_of(std::uint32_t row) const noexcept {
    std::array<int, most_in_row> pids{};
    if (shared().row.load(std::memory_order_acquire) != row) return pids;
    for (std::size_t i = 0; i < most_in_row; ++i) {
      pids[i] = shared().newborns[i].load(std::memory_order_acquire);
    }
    return pids;
  }
  // For the kernel, in the nursery: where the child of the row's i-th order is written down.
  int* newborn(std::size_t i) noexcept { return reinterpret_cast<int*>(&shared().newborns[i]); }

 private:
  struct Place {
    std::atomic<std::uint32_t> row;
    std::array<std::atomic<std::int32_t>, most_in_row> newborns;
  };
  static_assert(std::atomic<std::int32_t>::is_always_lock_free &&
                sizeof(std::atomic<std::int32_t>) == sizeof(int));

  Place& shared() const noexcept { return *reinterpret_cast<Place*>(mapping_.data()); }

  os::Mapping mapping_;
};

}  // namespace brood::process
