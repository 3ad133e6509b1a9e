// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <exception>
#include <string>
#include <vector>

#include <brood/brood.hpp>

#include "how_many_snakes/answer.hpp"
#include "how_many_snakes/digest.hpp"
#include "how_many_snakes/machine.hpp"

namespace snakes {

using Outcomes = std::vector<brood::Outcome<Digest>>;

// What the plain loop found, which every pool must find too.
struct Baseline {
  // Those that could be digested; digests and files go together.
  std::vector<File> files;
  std::vector<Digest> digests;
  // Why the others could not; each names its file.
  std::vector<std::string> failures;
  double seconds = 0;
  double longest_seconds = 0;  // of one file
  CpuWatch watch;              // since this run began
};

// Reads the files once before, so that this run and all later ones find them in
// the page cache, as far as memory allows.
Baseline run_serially(const std::vector<File>& files);

struct Run {
  double seconds = 0;  // from the pool's birth to the last result
  Outcomes outcomes;   // one a file
};

// Requires: kind is not serial.
Run run_on_pool(const std::vector<File>& files, Kind kind, std::size_t workers);

// Where a run's outcomes are not the baseline's.
struct Differences {
  std::vector<std::string> wrong;    // each names its file, with the reason
  std::vector<std::size_t> changed;  // no pool's fault: the file itself is another now
};
Differences differences(const Baseline& baseline, const Outcomes& outcomes);

// What an error says; null is none.
std::string what_of(const std::exception_ptr& error);

}  // namespace snakes
