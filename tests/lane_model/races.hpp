// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "explorer.hpp"

namespace brood::model {

// Who has seen what of whom, by the orders that the code itself asks for: a
// release is seen by the acquire that reads it, and by nobody else. Plain memory
// that two fibers touch without that in between is a race, in whatever order they
// happened to run.
class Races {
 public:
  void reset() noexcept;
  void spawned(unsigned parent, unsigned child) noexcept;
  // What the dead one did is seen by who has learned of its death.
  void buried(unsigned dead) noexcept;

  void loaded(const void* word, std::memory_order order) noexcept;
  void stored(const void* word, std::memory_order order) noexcept;
  void exchanged(const void* word, std::memory_order order) noexcept;
  // Plain memory. True: a race.
  bool read(const void* begin, std::size_t size) noexcept;
  bool written(const void* begin, std::size_t size) noexcept;

 private:
  using Clock = std::array<std::uint32_t, most_fibers>;
  struct Cell {
    std::uintptr_t key = 0;
    std::uint32_t life = 0;  // of another execution: empty
    bool released = false;
    std::uint8_t writer = most_fibers;
    std::uint32_t written_at = 0;
    Clock read_at{};
    Clock release{};
  };
  Cell& cell(std::uintptr_t key) noexcept;
  Clock& mine() noexcept { return seen_[explorer().running()]; }
  static void join(Clock& into, const Clock& from) noexcept;
  template <typename Visit>
  bool visit(const void* begin, std::size_t size, Visit visit) noexcept;

  std::array<Clock, most_fibers> seen_{};
  std::vector<Cell> cells_ = std::vector<Cell>(std::size_t{1} << 14);
  std::uint32_t life_ = 0;
};

Races& races() noexcept;

}  // namespace brood::model
