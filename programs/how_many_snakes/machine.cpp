// SPDX-License-Identifier: MIT
#include "how_many_snakes/machine.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>

#include <brood/brood.hpp>

namespace snakes {

Machine this_machine() {
  Machine machine;
  machine.usable = brood::cpu_count();
  machine.online = static_cast<std::size_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  cpu_set_t mask;
  // A machine with more CPUs than the mask has bits refuses it.
  machine.affinity = ::sched_getaffinity(0, sizeof mask, &mask) == 0
                         ? static_cast<std::size_t>(CPU_COUNT(&mask))
                         : machine.online;
  return machine;
}

std::string to_string(const Machine& machine) {
  const std::string quota = machine.usable < machine.affinity
                                ? "cgroup quota " + std::to_string(machine.usable)
                                : "no cgroup quota below that";
  return std::to_string(machine.usable) + (machine.usable == 1 ? " CPU (" : " CPUs (") +
         std::to_string(machine.online) + " online, affinity " + std::to_string(machine.affinity) +
         ", " + quota + ")";
}

}  // namespace snakes
