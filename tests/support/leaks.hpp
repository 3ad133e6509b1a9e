// SPDX-License-Identifier: MIT
#pragma once

#include <unistd.h>

namespace brood::testing {

inline const pid_t tester = ::getpid();

}  // namespace brood::testing

// Where a test forks: LeakSanitizer asks it at the end of each process. A child has a
// copy of all memory, but not the threads that hold some of it.
extern "C" [[gnu::used]] inline int __lsan_is_turned_off() {
  return ::getpid() != brood::testing::tester ? 1 : 0;
}
