// SPDX-License-Identifier: MIT
#include "os/cpu.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include <brood/base/cpu_count.hpp>

#include "os/place.hpp"

namespace brood::os {
namespace {

constexpr double no_limit = std::numeric_limits<double>::infinity();

double quota_v2(const std::filesystem::path& group) {
  // "max 100000" or "150000 100000": microseconds a period.
  std::ifstream file(group / "cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return no_limit;
  return std::strtod(quota.c_str(), nullptr) / period;
}

double quota_v1(const std::filesystem::path& group) {
  double quota = 0;
  double period = 0;
  std::ifstream(group / "cpu.cfs_quota_us") >> quota;
  std::ifstream(group / "cpu.cfs_period_us") >> period;
  return quota > 0 && period > 0 ? quota / period : no_limit;
}

template <typename Quota>
double tightest(const std::filesystem::path& root, const std::string& group, Quota quota) {
  double least = quota(root);
  std::filesystem::path at = root;
  for (const auto& part : std::filesystem::path(group).relative_path()) {
    at /= part;
    least = std::min(least, quota(at));
  }
  return least;
}

bool names_cpu(const std::string& controllers) {
  return (',' + controllers + ',').find(",cpu,") != std::string::npos;
}

}  // namespace

// A line of /proc/self/cgroup is "number:controllers:path"; version 2 has the
// number 0 and no controllers (cgroups(7)).
double cgroup_cpu_quota(const std::string& proc_file, const std::string& root) {
  double least = no_limit;
  std::ifstream file(proc_file);
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) {
      least = std::min(least, tightest(root, group, quota_v2));
    } else if (names_cpu(controllers)) {
      least = std::min(least, tightest(root + "/cpu", group, quota_v1));
      if (controllers == "cpu") continue;
      least = std::min(least, tightest(root + "/" + controllers, group, quota_v1));
    }
  }
  return least;
}

std::size_t usable_cpus() {
  const double quota = std::ceil(cgroup_cpu_quota("/proc/self/cgroup", "/sys/fs/cgroup"));
  const std::size_t cpus = std::max<std::size_t>(1, allowed_cpus().size());
  if (quota >= static_cast<double>(cpus)) return cpus;
  return std::max<std::size_t>(1, static_cast<std::size_t>(quota));
}

}  // namespace brood::os

namespace brood {

std::size_t cpu_count() { return os::usable_cpus(); }

}  // namespace brood
