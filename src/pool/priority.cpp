// SPDX-License-Identifier: MIT
#include "pool/priority.hpp"

#include <algorithm>
#include <cerrno>
#include <string>

#include <brood/base/error.hpp>

#include "os/niceness.hpp"

namespace brood::detail {

void require_sensible_priority(const PoolOptions& options) {
  const auto steps = options.priority.number();
  if (steps >= os::most_favoured && steps <= os::least_favoured) return;
  throw ValueError("cannot use priority = " + std::to_string(steps) +
                   ": it must be from -20 (first in line) to 19 (last)");
}

// As the kernel has it, what would be beyond the last is the last.
std::optional<int> niceness_for(const PoolOptions& options) {
  if (!options.priority.given()) return std::nullopt;
  const int steps = static_cast<int>(options.priority.number());
  const int niceness = std::clamp(os::niceness() + steps, os::most_favoured, os::least_favoured);
  if (os::may_have_niceness(niceness)) return niceness;
  throw SystemError(EACCES, "cannot use priority = " + std::to_string(steps) +
                                ": this process may not have the niceness " +
                                std::to_string(niceness) + "; allow it by `ulimit -e " +
                                std::to_string(20 - niceness) +
                                "` (RLIMIT_NICE) or the capability CAP_SYS_NICE");
}

}  // namespace brood::detail
