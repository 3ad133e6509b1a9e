// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace brood::os {

// What this process has of memory, in bytes.
struct MemoryUse {
  // Mapped, private and writable, which is what RLIMIT_DATA counts; and its stack.
  std::size_t data = 0;
  std::size_t resident = 0;
  // Of that, what is of no file.
  std::size_t anonymous = 0;
};

// Zeros where /proc is not mounted. Safety: signal handlers.
MemoryUse memory_use() noexcept;
// The most that it has ever had resident. Safety: signal handlers.
std::size_t most_resident_memory() noexcept;

// A limit for what this process adds to the memory that it has when this is made.
//
// Where it can enter a control group that has the limit, the kernel counts the
// pages that it touches and ends it when they are too many. Else RLIMIT_DATA makes
// malloc fail, which counts what is mapped, private and writable. Not RLIMIT_AS: that
// counts libraries, shared memory and what allocators only reserve for a thread.
class MemoryAllowance {
 public:
  // `group` is the cgroup.procs of one, or -1.
  MemoryAllowance(std::size_t bytes, int group) noexcept;

  // What is held now belongs to all tasks, not to what one leaves behind.
  void begin_tasks() noexcept { at_start_ = std::min(added(), bytes_); }
  // What tasks have left behind is more than half of what they had to share, though
  // malloc has given back what is free. For the time between two tasks.
  bool is_half_gone() const noexcept;

 private:
  std::size_t added() const noexcept;

  std::size_t bytes_;
  std::size_t at_start_ = 0;
  bool in_group_;
  MemoryUse before_;
};

// How many processes the kernel's out-of-memory killer has ended so far.
struct OutOfMemoryKills {
  // Of the whole machine. Nothing where the kernel doesn't say.
  std::optional<std::uint64_t> machine;
  // Of this process's control group and those below it, of version 2.
  std::optional<std::uint64_t> own_group;
};
OutOfMemoryKills out_of_memory_kills();

// Whether the environment told glibc, when this program started, what malloc is to keep
// (mallopt(3)). Looked up once.
bool user_says_what_is_kept() noexcept;
// From now on malloc keeps up to 128 MiB that are free at the end of its heap, and maps
// only what is larger than that by itself: else it gives 128 KiB and more back to the
// kernel at each chance, and the next task pays for every page again. Not where the user
// says what is kept. Before this process has threads.
void keep_freed_memory() noexcept;
// Whether that may be more than a few MiB now. Cheap: a question before each sleep.
bool may_hold_freed_memory() noexcept;
// Gives what malloc holds and nobody uses back to the kernel, wherever it lies.
void give_back_freed_memory() noexcept;

}  // namespace brood::os
