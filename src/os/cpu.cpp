// SPDX-License-Identifier: MIT
#include "os/cpu.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include <brood/base/cpu_count.hpp>

#include "os/kernel_file.hpp"
#include "os/place.hpp"

namespace brood::os {
namespace {

constexpr double no_limit = std::numeric_limits<double>::infinity();

double cpus_of(std::optional<std::uint64_t> quota, std::optional<std::uint64_t> period) {
  if (!quota || !period || *quota == 0 || *period == 0) return no_limit;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

double quota_v2(const std::string& group) {
  // "max 100000" or "150000 100000": microseconds a period.
  const std::string text = kernel_text((group + "/cpu.max").c_str());
  const std::string_view words = text;
  const std::size_t space = std::min(words.find(' '), words.size());
  return cpus_of(first_number(words), first_number(words.substr(space)));
}

double quota_v1(const std::string& group) {
  // "-1", or microseconds.
  const auto quota = first_number(kernel_text((group + "/cpu.cfs_quota_us").c_str()));
  if (!quota) return no_limit;
  return cpus_of(quota, first_number(kernel_text((group + "/cpu.cfs_period_us").c_str())));
}

// Of `group`, as "/a/b", and of all those that it lies in.
template <typename Quota>
double tightest(const std::string& root, const std::string& group, Quota quota) {
  double least = quota(root);
  for (std::size_t end = group.size(); end > 1 && end != std::string::npos;
       end = group.rfind('/', end - 1)) {
    least = std::min(least, quota(root + group.substr(0, end)));
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
  const std::string text = kernel_text(proc_file.c_str());
  std::string_view lines = text;
  while (const auto line = next_line(lines)) {
    const std::size_t first = line->find(':');
    const std::size_t second = line->find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers(line->substr(first + 1, second - first - 1));
    const std::string group(line->substr(second + 1));
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
