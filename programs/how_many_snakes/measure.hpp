// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "how_many_snakes/options.hpp"
#include "how_many_snakes/runs.hpp"

namespace snakes {

// The numbers of workers to try: each up to 8, then eight for each doubling, and
// the most.
std::vector<std::size_t> worker_counts(std::size_t most);

struct Measurement {
  Report report;
  // Files whose result on some pool was not the baseline's, with the reason.
  std::vector<std::string> differences;
  // Indices of files that somebody wrote to since the serial run.
  std::set<std::size_t> changed;
};

// Runs the files on pools of each kind and size, and prints a line of the table
// after each. Stops at a run that differs.
Measurement measure(const Baseline& baseline, const Options& options);

}  // namespace snakes
