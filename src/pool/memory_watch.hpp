// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <brood/base/count.hpp>

#include "os/control_group.hpp"
#include "os/crash_record.hpp"
#include "os/memory_use.hpp"
#include "os/pidfd.hpp"

namespace brood::detail {

// What a worker's end has to do with memory.
struct MemoryEnd {
  bool exceeded = false;    // it died of its limit
  std::uint64_t limit = 0;  // bytes, 0: none
  std::uint64_t peak = 0;   // bytes, 0: unknown
  // Of a worker that was killed by SIGKILL: by whom, as far as it's known.
  std::string killer;
};

// Judges by the worker's control group, by what it wrote down of itself, and by the
// kernel's counts of whom it has killed.
//
// Safety: one thread at a time.
class MemoryWatch {
 public:
  // `limit` in bytes, 0: none.
  explicit MemoryWatch(std::uint64_t limit) noexcept : limit_(limit) {}

  // What the kernel has killed by now concerns nobody here.
  void begin(const os::OutOfMemoryKills& now) noexcept { before_ = now; }
  // `group` may be null. Before the group is removed.
  MemoryEnd end_of(const os::MemoryGroup* group, const os::ExitStatus& how,
                   const os::CrashNotes& notes);

 private:
  bool died_of_refusal(const os::ExitStatus& how, const os::CrashNotes& notes) const;
  std::string killer();

  std::uint64_t limit_;
  os::OutOfMemoryKills before_;
  // Of those of the program's own group, how many are known to have been workers here.
  std::uint64_t accounted_ = 0;
};

// "64 MiB", "61.3 MiB".
std::string in_words(std::uint64_t bytes);

// Throws: ValueError for a limit that no worker could live with.
void require_livable(Count limit);

}  // namespace brood::detail
