// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
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

// What others do on this machine while one looks.
class CpuWatch {
 public:
  CpuWatch();
  // The share of all CPUs' time since then that other programs used; 0 where the
  // kernel does not say. Counts of this program's children those that were reaped.
  double others() const;

 private:
  double all_;   // CPU seconds of all programs
  double ours_;  // and of this one
  std::chrono::steady_clock::time_point since_;
};

// "2 CPUs (4 online, affinity 4, cgroup quota 2)"
std::string to_string(const Machine& machine);

}  // namespace snakes
