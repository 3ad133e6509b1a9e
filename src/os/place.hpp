// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <vector>

namespace brood::os {

// Where a thread may run, and where its memory had better be.
struct Place {
  std::vector<unsigned> cpus;    // the kernel's numbers, rising
  std::optional<unsigned> node;  // of memory
};

// The calling thread, and what it starts from now on. A place whose CPUs have all been
// taken away meanwhile leaves it where it is, as the kernel does with a thread that was
// there before. The node is a wish: where the kernel doesn't take it, memory
// comes from the CPU's own node, which is the same as long as there is some.
// Throws: SystemError where a sandbox forbids it.
void occupy(const Place& place);

// The CPUs that the calling thread may use, rising. Empty where the kernel won't tell.
std::vector<unsigned> allowed_cpus();

// Where the calling thread is just now. Cheap. -1 where the kernel won't tell.
int current_cpu() noexcept;

// Moves the calling thread to another CPU than those, if it may use one. It may use the
// same ones afterwards.
// Throws: SystemError where a sandbox forbids it.
void avoid_cpus(const std::vector<int>& crowded);

}  // namespace brood::os
