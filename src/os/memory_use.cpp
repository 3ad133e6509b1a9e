// SPDX-License-Identifier: MIT
#include "os/memory_use.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>

#include "os/control_group.hpp"
#include "os/crash_handler.hpp"
#include "os/kernel_file.hpp"
#include "os/syscall.hpp"

namespace brood::os {
namespace {

bool limit_data(std::size_t bytes) noexcept {
  struct rlimit limit{};
  if (::getrlimit(RLIMIT_DATA, &limit) != 0) return false;
  // A nested worker can't be given more than the one that its pool is in.
  limit.rlim_cur = limit.rlim_max = std::min<rlim_t>(limit.rlim_max, bytes);
  return ::setrlimit(RLIMIT_DATA, &limit) == 0;
}

// Where malloc's heap ended when it was told to keep what is freed; 0: it was not.
std::uintptr_t heap_begin = 0;

std::uintptr_t heap_end() noexcept { return reinterpret_cast<std::uintptr_t>(::sbrk(0)); }

}  // namespace

MemoryUse memory_use() noexcept {
  std::array<char, 256> text{};
  const int file = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file == -1) return {};
  const auto size = uninterrupted([&] { return ::read(file, text.data(), text.size() - 1); });
  ::close(file);
  // Pages: size, resident, shared, text, lib, data (proc(5), statm). By hand: a
  // signal handler may be in here.
  std::array<std::size_t, 6> pages{};
  std::size_t at = 0;
  for (const char letter : text) {
    if (size <= 0 || at == pages.size()) break;
    if (letter < '0' || letter > '9') {
      ++at;
    } else {
      pages[at] = pages[at] * 10 + static_cast<std::size_t>(letter - '0');
    }
  }
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return {pages[5] * page, pages[1] * page, (pages[1] - std::min(pages[1], pages[2])) * page};
}

std::size_t most_resident_memory() noexcept {
  struct rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

MemoryAllowance::MemoryAllowance(std::size_t bytes, int group) noexcept
    : bytes_(bytes), in_group_(group >= 0 && enter_group(group)), before_(memory_use()) {
  tell_what_is_added_to(before_);
  if (!in_group_) limit_data(before_.data + std::min(bytes, ~std::size_t{0} - before_.data));
}

std::size_t MemoryAllowance::added() const noexcept {
  const MemoryUse now = memory_use();
  const std::size_t has = in_group_ ? now.anonymous : now.data;
  const std::size_t had = in_group_ ? before_.anonymous : before_.data;
  return has - std::min(has, had);
}

bool MemoryAllowance::is_half_gone() const noexcept {
  const std::size_t most = at_start_ + (bytes_ - at_start_) / 2;
  if (added() <= most) return false;
  ::malloc_trim(0);
  return added() > most;
}

OutOfMemoryKills out_of_memory_kills() {
  OutOfMemoryKills kills;
  kills.machine = number_after(kernel_text("/proc/vmstat"), "oom_kill");
  if (const auto group = own_group()) {
    kills.own_group = number_after(kernel_text((*group + "/memory.events").c_str()), "oom_kill");
  }
  return kills;
}

bool user_says_what_is_kept() noexcept {
  static const bool says = [] {
    for (const char* const name :
         {"GLIBC_TUNABLES", "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"}) {
      if (std::getenv(name)) return true;  // NOLINT(concurrency-mt-unsafe): one thread
    }
    return false;
  }();
  return says;
}

void keep_freed_memory() noexcept {
  if (user_says_what_is_kept()) return;
  ::mallopt(M_MMAP_THRESHOLD, 128 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 128 << 20);
  heap_begin = heap_end();
}

bool may_hold_freed_memory() noexcept {
  constexpr std::uintptr_t few = 16 << 20;
  return heap_begin != 0 && heap_end() > heap_begin + few;
}

void give_back_freed_memory() noexcept { ::malloc_trim(0); }

}  // namespace brood::os
