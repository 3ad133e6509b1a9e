// SPDX-License-Identifier: MIT
#include "os/kernel_clock.hpp"

#include <dlfcn.h>

namespace brood::os {

constinit std::atomic<ClockReader> clock_reader{::clock_gettime};

namespace {

[[maybe_unused]] const bool is_looked_for = [] {
  // It's there from the start, or not at all, and stays.
  void* const vdso = ::dlopen("linux-vdso.so.1", RTLD_LAZY | RTLD_NOLOAD);
  void* const found = vdso ? ::dlsym(vdso, "__vdso_clock_gettime") : nullptr;
  if (found) clock_reader.store(reinterpret_cast<ClockReader>(found), std::memory_order_relaxed);
  return true;
}();

}  // namespace
}  // namespace brood::os
