// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <brood/base/crash_report.hpp>

namespace brood::base {

// A trace that was put into words before, possibly in another process.
std::shared_ptr<const TaskTrace> known_trace(std::string message, std::string task_name,
                                             std::vector<std::string> lines);

}  // namespace brood::base
