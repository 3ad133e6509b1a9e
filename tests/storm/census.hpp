// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <vector>

// What this process has of the kernel's things, as /proc shows it.
namespace brood::storm {

struct ChildSeen {
  int pid = 0;
  std::string name;
  char state = '?';  // as in proc(5): R, S, D, Z...
};
// Children, zombies and those that waitpid does not show among them.
std::vector<ChildSeen> children();

// Kinds of things and how many there are: children by name, descriptors by what
// they are open to, mappings of shared memory, files in /dev/shm, threads.
using Census = std::map<std::string, long>;
Census take_census();
// What differs, one a line; empty when nothing does.
std::string difference(const Census& before, const Census& after);

}  // namespace brood::storm
