// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <brood/brood.hpp>

#include "support/report.hpp"

namespace bench {

// Tasks of real arithmetic, each as long as its number of steps says.
using Tasks = std::vector<std::uint64_t>;

// Who is to spread tasks over all CPUs: brood's processes and threads, and those
// that others reach for.
class Schedulers {
 public:
  Schedulers();

  struct One {
    std::string name;
    std::function<void(const Tasks&)> run;
  };
  const std::vector<One>& all() const noexcept { return all_; }

  // Lets each do the tasks in turns with a serial loop, and reports what share
  // of the ideal, the serial time over the CPUs, each attains.
  // `ideal` and `rivals`: goals for brood's processes, against the ideal and
  // against the best of the others in each round.
  void compare(Report& report, const Tasks& tasks, int rounds, const Goal* ideal, Goal rivals);

 private:
  brood::Pool processes_;
  brood::Pool threads_;
  std::vector<One> all_;
};

}  // namespace bench
