// SPDX-License-Identifier: MIT
#include <brood/base/large_memory.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace brood::detail {
namespace {

// A huge page has 2 MiB, at a multiple of that; smaller memory seldom holds a whole one.
constexpr std::size_t least_size = std::size_t{3} << 20;

}  // namespace

void expect_to_be_filled(void* begin, std::size_t size) noexcept {
  if (size < least_size) return;
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto first = (reinterpret_cast<std::uintptr_t>(begin) + page - 1) & ~(page - 1);
  const auto last = (reinterpret_cast<std::uintptr_t>(begin) + size) & ~(page - 1);
  ::madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
}

}  // namespace brood::detail
