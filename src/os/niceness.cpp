// SPDX-License-Identifier: MIT
#include "os/niceness.hpp"

#include <sys/resource.h>

namespace brood::os {

// Every number is one that it may return, so there's none left for a failure, which
// there isn't either: the caller exists.
int niceness() noexcept { return ::getpriority(PRIO_PROCESS, 0); }

bool set_niceness(int niceness) noexcept { return ::setpriority(PRIO_PROCESS, 0, niceness) == 0; }

bool may_have_niceness(int wanted) noexcept {
  const int own = niceness();
  if (wanted >= own) return true;
  if (!set_niceness(wanted)) return false;
  set_niceness(own);
  return true;
}

}  // namespace brood::os
