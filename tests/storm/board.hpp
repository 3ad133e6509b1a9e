// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "os/kill_point.hpp"

// What the storm shares with all its workers: the kill plan, and how often each
// task has run. Made before brood::init, so that forks have it; a spawned worker
// opens it by its name.
namespace brood::storm {

struct Board {
  os::KillPlan plan;
  alignas(4096) std::atomic<std::uint64_t> arrived;  // at the meeting of all workers
  std::uint64_t capacity;                            // of runs
  alignas(4096) std::atomic<std::uint8_t> runs[1];   // by task, and beyond its bound
};

// Of this process, once opened.
Board& board() noexcept;

// Makes it with room for so many tasks; in a spawned worker, opens the program's.
void open_board(std::uint64_t capacity);

inline std::uint8_t runs_of(std::uint64_t task) noexcept {
  return (&board().runs[0])[task].load(std::memory_order_seq_cst);
}

}  // namespace brood::storm
