// SPDX-License-Identifier: MIT
#include "how_many_snakes/machine.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

#include <brood/brood.hpp>

namespace snakes {
namespace {

// Since the machine's start; 0 where the kernel does not say.
double seconds_of_all() {
  // user nice system idle iowait irq softirq steal (proc(5), stat).
  std::ifstream stat("/proc/stat");
  std::string word;
  stat >> word;
  double ticks = 0;
  for (int column = 0; column < 8; ++column) {
    double number = 0;
    stat >> number;
    if (column != 3 && column != 4) ticks += number;
  }
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double seconds_of(int who) {
  struct rusage usage{};
  ::getrusage(who, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double seconds_of_ours() { return seconds_of(RUSAGE_SELF) + seconds_of(RUSAGE_CHILDREN); }

}  // namespace

CpuWatch::CpuWatch()
    : all_(seconds_of_all()), ours_(seconds_of_ours()), since_(std::chrono::steady_clock::now()) {}

double CpuWatch::others() const {
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - since_;
  const double used = (seconds_of_all() - all_) - (seconds_of_ours() - ours_);
  const double there_was = wall.count() * static_cast<double>(this_machine().online);
  return there_was > 0 ? std::clamp(used / there_was, 0.0, 1.0) : 0;
}

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
