// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "os/memory.hpp"
#include "os/unique_fd.hpp"

// A worker lends the memory of its Views to the program, and uses it again when the program
// has let go: fresh pages cost several times what writing to them does. While it's lent
// nobody can write there: the worker's own mapping, which can't be had again, is for reading.
namespace brood::detail {

inline constexpr const char* block_name = "brood-shared";

class Lender;

// Memory that this process fills and may lend. Whoever refers to it keeps it from being
// filled again.
class LendableMemory {
 public:
  LendableMemory(os::UniqueFd memory, os::Mapping mapping) noexcept
      : memory_(memory.release()), mapping_(std::move(mapping)) {}
  ~LendableMemory() { os::UniqueFd{memory_}.reset(); }
  LendableMemory(const LendableMemory&) = delete;
  LendableMemory& operator=(const LendableMemory&) = delete;

  int fd() const noexcept { return memory_; }
  const os::Mapping& mapping() const noexcept { return mapping_; }
  // Whether an earlier content is there.
  bool was_filled() const noexcept { return was_filled_; }
  // Between them this process may write there.
  // Throws: SystemError.
  void open();
  void close();

  // The number that gives it back. 0: it's lent already, and won't be used again.
  std::uint64_t lend();
  // Others may read it for ever.
  void give_for_good() noexcept { is_given_.store(true, std::memory_order_relaxed); }

 private:
  friend Lender;

  // As the mapping, it's also that of a child that a task forks.
  const int memory_;
  const os::Mapping mapping_;
  bool was_filled_ = false;
  std::uint32_t copies_before_ = 0;       // of this process, when it was filled
  std::atomic<bool> is_held_{true};       // somebody here refers to it
  std::atomic<bool> is_given_{false};     // it's not to be used again
  std::atomic<std::uint64_t> ticket_{0};  // of whoever has borrowed it
};

// While one lives, memory of the Views of this process is kept. `returned`, which others
// write to, is where the numbers of what was lent come back.
class ViewLending {
 public:
  explicit ViewLending(std::span<std::atomic<std::uint64_t>> returned);
  ~ViewLending();
  ViewLending(const ViewLending&) = delete;
  ViewLending& operator=(const ViewLending&) = delete;
};

// Memory of that size or more, for a View. Null where none is lent, or so much is not kept.
// Throws: SystemError where the kernel grants no memory.
std::shared_ptr<LendableMemory> lendable_memory(std::size_t size);
// The same with these bytes in it, closed.
std::shared_ptr<LendableMemory> lendable_copy(std::span<const std::byte> bytes);

bool keeps_lendable_memory() noexcept;
// All that nobody here refers to. Who borrowed some of it keeps that.
void forget_lendable_memory() noexcept;

}  // namespace brood::detail
