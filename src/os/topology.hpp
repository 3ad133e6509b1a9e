// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace brood::os {

// What the machine is made of, as far as it matters to where a worker runs.
//
// Read by hwloc. Its library is opened when it's first asked for, and not linked with:
// every program would load it then, and each spawned worker, those that never ask too,
// at a tenth of what a program with a nursery takes to start.
struct Topology {
  // A core with its hardware threads, or a NUMA node with its CPUs.
  struct Part {
    unsigned number = 0;         // the kernel's
    std::vector<unsigned> cpus;  // the kernel's numbers, rising
    // From the whole machine down to the part: its rank among its siblings on each
    // level. What two parts have in common, such as a cache, they share.
    std::vector<unsigned> path;
  };
  std::vector<Part> cores;
  std::vector<Part> nodes;  // those that have CPUs; no two have the same
};

// This machine's, with the CPUs that this process may not use. Read once.
// Throws: ContextError where hwloc isn't there; it says what to install.
const Topology& machine_topology();

// One that hwloc makes up: "pack:2 core:4 pu:2". For tests.
Topology synthetic_topology(const std::string& description);

}  // namespace brood::os
