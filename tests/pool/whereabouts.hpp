// SPDX-License-Identifier: MIT
#pragma once

#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "pool/facts.hpp"

// Where threads run and how nice they are, as the kernel has it, and what the kernel's
// own files say of the machine.
namespace brood::testing {

using CpuNumbers = std::vector<unsigned>;

// Of the calling thread.
inline CpuNumbers own_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) throw std::runtime_error("no affinity");
  CpuNumbers cpus;
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}
inline void run_on(const CpuNumbers& cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const unsigned cpu : cpus) CPU_SET(cpu, &set);
  if (::sched_setaffinity(0, sizeof set, &set) != 0) throw std::runtime_error("no such CPU");
}

inline int own_niceness() { return ::getpriority(PRIO_PROCESS, 0); }

// The NUMA node whose memory the calling thread prefers; -1 where it's the kernel's choice.
inline int preferred_node() {
  int mode = 0;
  std::vector<unsigned long> mask(64);
  const auto bits = mask.size() * sizeof(unsigned long) * 8;
  if (::syscall(SYS_get_mempolicy, &mode, mask.data(), bits, nullptr, 0) != 0) return -1;
  if (mode != MPOL_PREFERRED) return -1;
  for (std::size_t bit = 0; bit < bits; ++bit) {
    if ((mask[bit / 64] >> (bit % 64) & 1) != 0) return static_cast<int>(bit);
  }
  return -1;
}

struct Whereabouts {
  int pid = 0;
  CpuNumbers cpus;
  int niceness = 0;
  int node = -1;
};
inline Whereabouts whereabouts() {
  return {own_pid(), own_cpus(), own_niceness(), preferred_node()};
}
// A task that holds its worker until the file is there.
inline Whereabouts whereabouts_at(const std::string& path) {
  until_there(path);
  return whereabouts();
}

// Of each worker, once it's there.
inline std::vector<Whereabouts> of_all(Pool& pool, std::size_t workers) {
  eventually([&] { return pool.stats().workers == workers; });
  const Scratch scratch;
  const std::string door = scratch.path("door");
  std::vector<AsyncResult<Whereabouts>> asked;
  for (std::size_t i = 0; i < workers; ++i) asked.push_back(pool.apply_async(whereabouts_at, door));
  for (const auto& each : asked) {
    eventually([&] { return pool.poll(each.id()) == JobState::running; });
  }
  write_file(door, "open");
  std::vector<Whereabouts> found;
  for (const auto& each : asked) found.push_back(each.get());
  return found;
}

using Places = std::multiset<CpuNumbers>;
inline Places places_of(const std::vector<Whereabouts>& workers) {
  Places places;
  for (const Whereabouts& worker : workers) places.insert(worker.cpus);
  return places;
}

// "0-3,8": as the kernel writes lists of numbers. Of them those that this thread may use.
inline CpuNumbers allowed_of(const std::string& file) {
  const CpuNumbers allowed = own_cpus();
  CpuNumbers cpus;
  std::ifstream in(file);
  for (std::string range; std::getline(in, range, ',');) {
    const auto first = std::stoul(range);
    const auto dash = range.find('-');
    const auto last = dash == std::string::npos ? first : std::stoul(range.substr(dash + 1));
    for (auto cpu = static_cast<unsigned>(first); cpu <= last; ++cpu) {
      if (std::find(allowed.begin(), allowed.end(), cpu) != allowed.end()) cpus.push_back(cpu);
    }
  }
  return cpus;
}

// What this thread may use, by cores. A kernel that doesn't tell has cores of one thread.
inline std::set<CpuNumbers> own_cores() {
  std::set<CpuNumbers> cores;
  for (const unsigned cpu : own_cpus()) {
    const std::string folder = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/";
    const CpuNumbers core = allowed_of(folder + "thread_siblings_list");
    cores.insert(core.empty() ? CpuNumbers{cpu} : core);
  }
  return cores;
}

// The same by NUMA nodes. A kernel that doesn't tell has one.
inline std::set<CpuNumbers> own_nodes() {
  std::set<CpuNumbers> nodes;
  for (int node = 0; node < 1024; ++node) {
    const std::string list = "/sys/devices/system/node/node" + std::to_string(node) + "/cpulist";
    if (const CpuNumbers cpus = allowed_of(list); !cpus.empty()) nodes.insert(cpus);
  }
  return nodes.empty() ? std::set{own_cpus()} : nodes;
}

}  // namespace brood::testing
