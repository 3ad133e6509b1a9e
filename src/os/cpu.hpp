// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>

namespace brood::os {

// See brood::cpu_count.
std::size_t usable_cpus();

// CPUs that the cgroups of a process may use, infinite without a limit. Takes
// the places of the kernel's files, so that it can be tested.
double cgroup_cpu_quota(const std::string& proc_file, const std::string& root);

}  // namespace brood::os
