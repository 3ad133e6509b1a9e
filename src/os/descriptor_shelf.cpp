// SPDX-License-Identifier: MIT
#include "os/descriptor_shelf.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "os/child_setup.hpp"

namespace brood::os {
namespace {

bool part_from(unsigned first) noexcept {
  return ::syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_UNSHARE) == 0;
}

// Where one is closed, what comes takes its number for a moment, and a copy would have that.
bool has_all_streams() noexcept {
  return ::fcntl(0, F_GETFD) != -1 && ::fcntl(1, F_GETFD) != -1 && ::fcntl(2, F_GETFD) != -1;
}

// Valgrind knows no copy that shares descriptors, and ends a program that asks for one.
bool is_under_valgrind() noexcept { return ::dlsym(RTLD_DEFAULT, "_vgnU_freeres") != nullptr; }

// To grow a table that is shared the kernel waits until no CPU looks at the old one
// (synchronize_rcu), some 10 ms. Requires: has_all_streams().
void grow_table() noexcept {
  for (int number = 1 << 11; number >= 1 << 7; number /= 2) {
    const int there = ::fcntl(0, F_DUPFD_CLOEXEC, number - 1);
    if (there == -1) continue;  // beyond RLIMIT_NOFILE
    ::close(there);
    return;
  }
}

}  // namespace

DescriptorShelf::DescriptorShelf(std::span<const int> own) noexcept {
  constexpr unsigned room = 192;
  const auto highest = own.empty() ? 0 : std::max(0, *std::max_element(own.begin(), own.end()));
  first_ = static_cast<unsigned>(highest) + room;
  // Of a table that nobody shares, and where nothing stands, this changes nothing.
  can_be_left_ = has_all_streams() && !is_under_valgrind() && part_from(~0U);
  if (can_be_left_) grow_table();
}

UniqueFd DescriptorShelf::put(UniqueFd descriptor) const noexcept {
  if (!can_be_left_) return descriptor;
  const int there = ::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, static_cast<int>(first_));
  return there == -1 ? std::move(descriptor) : UniqueFd(there);
}

bool DescriptorShelf::can_be_left_with(std::span<const UniqueFd> kept) const noexcept {
  return can_be_left_ && std::all_of(kept.begin(), kept.end(), [&](const UniqueFd& descriptor) {
           return static_cast<unsigned>(descriptor.get()) < first_;
         });
}

void DescriptorShelf::leave() const noexcept {
  if (part_from(first_) || ::unshare(CLONE_FILES) == 0) return;
  // What it goes on to close would be closed for all.
  end_by_kill();
}

}  // namespace brood::os
