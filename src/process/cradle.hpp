// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>

#include "os/memory.hpp"

namespace brood::process {

// A word that a nursery shares with its program: the number of the child that it
// bore last. The kernel writes it in the very call that makes the child, so it
// tells of a child that the nursery died before it could speak of.
class Cradle {
 public:
  static os::UniqueFd make_memory() { return os::make_memory("brood-cradle", sizeof(Word)); }

  // Neither the user's forks nor the nursery's children have it.
  explicit Cradle(int memory) : mapping_(os::map_shared(memory, sizeof(Word))) {
    mapping_.not_in_forks();
    word().store(0, std::memory_order_relaxed);  // the page is there before it's needed
  }

  // By the program, before it asks for a birth.
  void clear() noexcept { word().store(0, std::memory_order_relaxed); }
  // 0 where none was born since. Requires: the nursery has answered, or has ended.
  int newborn() const noexcept { return word().load(std::memory_order_relaxed); }
  // For the kernel, in the nursery.
  int* place() noexcept { return reinterpret_cast<int*>(mapping_.data()); }

 private:
  using Word = std::atomic<std::int32_t>;
  static_assert(Word::is_always_lock_free && sizeof(Word) == sizeof(int));

  Word& word() const noexcept { return *reinterpret_cast<Word*>(mapping_.data()); }

  os::Mapping mapping_;
};

}  // namespace brood::process
