// SPDX-License-Identifier: MIT
#include "run.hpp"

#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "board.hpp"
#include "killer.hpp"

namespace brood::storm {
namespace {

const char* name_of(const Settings& settings) {
  if (settings.preload) return "preload";
  switch (settings.context) {
    case Context::fork: return "fork";
    case Context::spawn: return "spawn";
    default: return "forkserver";
  }
}

}  // namespace

std::string command_line(const Settings& settings) {
  return "storm --tasks " + std::to_string(settings.tasks) + " --kills " +
         std::to_string(settings.kills) + " --workers " + std::to_string(settings.workers) +
         " --seed " + std::to_string(settings.seed) + " --context " + name_of(settings);
}

Run& run() noexcept {
  static Run the_one;
  return the_one;
}

std::uint64_t Run::kills() const noexcept { return sent_kills + board().plan.kills; }

void fail(const std::string& what) {
  const Run& now = run();
  std::cerr << "FAILED: " << what << "\n  after " << now.settled << " tasks and " << now.kills()
            << " kills; the last kill point: " << name_of_point(board().plan.point)
            << "\n  again: " << command_line(now.settings) << std::endl;
  if (std::getenv("BROOD_STORM_ABORT")) std::abort();
  ::_exit(1);
}

void require(bool holds, const char* what) {
  if (!holds) fail(what);
}

}  // namespace brood::storm
