// SPDX-License-Identifier: MIT
//
// Tasks of real arithmetic on all CPUs: how much of the machine is lost.
#include <string>

#include <brood/brood.hpp>

#include "support/arithmetic.hpp"
#include "support/options.hpp"
#include "support/report.hpp"
#include "support/schedulers.hpp"

int main(int argc, char** argv) {
  using namespace bench;
  brood::init(argc, argv);
  const Options options = read_options(argc, argv);
  const double speed = steps_a_microsecond();
  const double total = options.size(400e3, 20e3);  // microseconds of work
  Schedulers schedulers;
  for (const int microseconds : {10, 100, 1'000, 10'000}) {
    Report report("tasks of " + std::to_string(microseconds) + " us on all CPUs");
    const Tasks tasks(static_cast<std::size_t>(total / microseconds),
                      static_cast<std::uint64_t>(speed * microseconds));
    const Goal ideal = at_least(0.97);
    schedulers.compare(report, tasks, options.rounds, microseconds < 100 ? nullptr : &ideal,
                       at_least(0.98));
  }
}
