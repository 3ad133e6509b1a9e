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

// A thread of this program, by the kernel's number. 0: the calling one.
using ThreadNumber = int;

// The CPUs that a thread may use, rising. Empty where the kernel won't tell.
std::vector<unsigned> allowed_cpus(ThreadNumber thread = 0);

// Where the calling thread is just now. Cheap. -1 where the kernel won't tell.
int current_cpu() noexcept;

// Moves a thread to another CPU than those, if it may use one. It may use the same ones
// afterwards. Cheap where it doesn't run just now; one that does is stopped for some 20 us.
// Safety: of another thread only while that one doesn't choose its CPUs itself.
// Throws: SystemError where a sandbox forbids it.
void avoid_cpus(const std::vector<int>& crowded, ThreadNumber thread = 0);

// While it lasts a thread runs on this CPU, where it may: one that sleeps comes there when
// it's woken. Likewise.
class Confined {
 public:
  Confined(ThreadNumber thread, int cpu);
  Confined(const Confined&) = delete;
  Confined& operator=(const Confined&) = delete;
  ~Confined();

 private:
  const ThreadNumber thread_;
  const std::vector<unsigned> before_;
};

}  // namespace brood::os
