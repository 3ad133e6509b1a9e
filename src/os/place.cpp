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

}  // namespace

void occupy(const Place& place) {
  if (!place.cpus.empty()) {
    const CpuSet set(place.cpus.back() + std::size_t{1});
    if (!set.get()) throw_system_error(ENOMEM, "bind a thread to CPUs");
    for (const unsigned cpu : place.cpus) CPU_SET_S(cpu, set.size(), set.get());
    if (::sched_setaffinity(0, set.size(), set.get()) == -1 && errno != EINVAL) {
      throw_system_error(errno, "bind a thread to CPUs");
    }
  }
  if (place.node) prefer_memory_of(*place.node);
}

std::vector<unsigned> allowed_cpus() {
  std::vector<unsigned> allowed;
  for (std::size_t cpus = 1024; allowed.empty() && cpus <= std::size_t{1} << 20; cpus *= 2) {
    const CpuSet set(cpus);
    if (!set.get()) break;
    if (::sched_getaffinity(0, set.size(), set.get()) == -1) continue;
    for (unsigned cpu = 0; cpu < cpus; ++cpu) {
      if (CPU_ISSET_S(cpu, set.size(), set.get())) allowed.push_back(cpu);
    }
  }
  return allowed;
}

int current_cpu() noexcept { return ::sched_getcpu(); }

void avoid_cpus(const std::vector<int>& crowded) {
  const Place before{allowed_cpus(), std::nullopt};
  Place others;
  std::copy_if(
      before.cpus.begin(), before.cpus.end(), std::back_inserter(others.cpus), [&](unsigned cpu) {
        return std::find(crowded.begin(), crowded.end(), static_cast<int>(cpu)) == crowded.end();
      });
  if (others.cpus.empty()) return;
  occupy(others);
  occupy(before);
}

}  // namespace brood::os
