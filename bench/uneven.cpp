// SPDX-License-Identifier: MIT
//
// Tasks of very different sizes: who ends last.
#include <algorithm>
#include <cmath>
#include <random>
#include <string>

#include <brood/brood.hpp>

#include "support/arithmetic.hpp"
#include "support/options.hpp"
#include "support/report.hpp"
#include "support/schedulers.hpp"

namespace {

using namespace bench;

// Pareto's sizes from 10 us on, 10 ms at most: a tenth of the tasks has half of
// the work.
Tasks pareto_tasks(std::size_t count, double steps_a_microsecond) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform(0, 1);
  Tasks tasks(count);
  for (auto& steps : tasks) {
    const double microseconds = 10 * std::pow(1 - uniform(random), -1 / 1.3);
    steps = static_cast<std::uint64_t>(steps_a_microsecond * std::min(microseconds, 10e3));
  }
  return tasks;
}

}  // namespace

int main(int argc, char** argv) {
  brood::init(argc, argv);
  const Options options = read_options(argc, argv);
  const auto count = options.size<std::size_t>(10'000, 200);
  Report report(std::to_string(count) + " tasks of Pareto's sizes on all CPUs");
  const Tasks tasks = pareto_tasks(count, steps_a_microsecond());
  Schedulers schedulers;
  schedulers.compare(report, tasks, options.rounds, nullptr, at_least(0.95));
}
