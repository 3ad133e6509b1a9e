// SPDX-License-Identifier: MIT
#include "os/place.hpp"

#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <limits>
#include <memory>

#include "os/syscall.hpp"

namespace brood::os {
namespace {

// Machines with more CPUs than a cpu_set_t has bits want a larger one.
class CpuSet {
 public:
  explicit CpuSet(std::size_t cpus) : size_(CPU_ALLOC_SIZE(cpus)), bits_(CPU_ALLOC(cpus)) {
    if (bits_) CPU_ZERO_S(size_, bits_.get());
  }
  cpu_set_t* get() const noexcept { return bits_.get(); }
  std::size_t size() const noexcept { return size_; }

 private:
  struct Free {
    void operator()(cpu_set_t* bits) const noexcept { CPU_FREE(bits); }
  };
  std::size_t size_;
  std::unique_ptr<cpu_set_t, Free> bits_;
};

void prefer_memory_of(unsigned node) {
  constexpr unsigned bits = std::numeric_limits<unsigned long>::digits;
  std::vector<unsigned long> mask(node / bits + 1);
  mask.back() = 1UL << (node % bits);
  // The kernel takes one bit less than it's told of.
  static_cast<void>(
      ::syscall(SYS_set_mempolicy, MPOL_PREFERRED, mask.data(), mask.size() * bits + 1));
}

// Requires: some CPUs. 0, or why it was refused.
int try_to_bind(ThreadNumber thread, const std::vector<unsigned>& cpus) {
  const CpuSet set(cpus.back() + std::size_t{1});
  if (!set.get()) return ENOMEM;
  for (const unsigned cpu : cpus) CPU_SET_S(cpu, set.size(), set.get());
  if (::sched_setaffinity(thread, set.size(), set.get()) == -1 && errno != EINVAL) return errno;
  return 0;
}

void bind(ThreadNumber thread, const std::vector<unsigned>& cpus) {
  const int refusal = try_to_bind(thread, cpus);
  if (refusal != 0) throw_system_error(refusal, "bind a thread to CPUs");
}

}  // namespace

void occupy(const Place& place) {
  if (!place.cpus.empty()) bind(0, place.cpus);
  if (place.node) prefer_memory_of(*place.node);
}

std::vector<unsigned> allowed_cpus(ThreadNumber thread) {
  std::vector<unsigned> allowed;
  for (std::size_t cpus = 1024; allowed.empty() && cpus <= std::size_t{1} << 20; cpus *= 2) {
    const CpuSet set(cpus);
    if (!set.get()) break;
    if (::sched_getaffinity(thread, set.size(), set.get()) == -1) continue;
    for (unsigned cpu = 0; cpu < cpus; ++cpu) {
      if (CPU_ISSET_S(cpu, set.size(), set.get())) allowed.push_back(cpu);
    }
  }
  return allowed;
}

int current_cpu() noexcept { return ::sched_getcpu(); }

void avoid_cpus(const std::vector<int>& crowded, ThreadNumber thread) {
  const auto before = allowed_cpus(thread);
  std::vector<unsigned> others;
  std::copy_if(before.begin(), before.end(), std::back_inserter(others), [&](unsigned cpu) {
    return std::find(crowded.begin(), crowded.end(), static_cast<int>(cpu)) == crowded.end();
  });
  if (others.empty()) return;
  bind(thread, others);
  bind(thread, before);
}

Confined::Confined(ThreadNumber thread, int cpu) : thread_(thread), before_(allowed_cpus(thread)) {
  const auto its = static_cast<unsigned>(cpu);
  if (std::binary_search(before_.begin(), before_.end(), its)) bind(thread, {its});
}

Confined::~Confined() {
  if (!before_.empty()) try_to_bind(thread_, before_);
}

}  // namespace brood::os
