// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>

namespace snakes {

// What decides how many CPUs a program gets.
struct Machine {
  std::size_t online = 1;    // in the machine
  std::size_t affinity = 1;  // of those, what this process may be scheduled on
  std::size_t usable = 1;    // brood::cpu_count(): also within its cgroup's quota
};

Machine this_machine();

// "2 CPUs (4 online, affinity 4, cgroup quota 2)"
std::string to_string(const Machine& machine);

}  // namespace snakes
