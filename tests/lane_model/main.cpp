// SPDX-License-Identifier: MIT
//
// lane_model SCENARIO            goes through it all; fails at a violation
// lane_model SCENARIO VIOLATION  fails unless it comes upon that one
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>

#include "lane_world.hpp"

namespace brood::model {
namespace {

constexpr std::size_t most_states = 20'000'000;

constexpr Plan plans[] = {
    {.name = "goes_round_its_slots", .tasks = 3, .slots = 2},
    {.name = "rings", .tasks = 3, .slots = 2, .user_waits = false},
    {.name = "revokes", .tasks = 2, .slots = 2, .revocations = 1},
    {.name = "rings_and_revokes", .tasks = 2, .slots = 2, .revocations = 1, .user_waits = false},
    {.name = "condemns", .tasks = 2, .slots = 2, .condemned = 1},
    {.name = "crashes", .tasks = 2, .slots = 2, .crashes = 1},
    {.name = "cuts", .tasks = 3, .slots = 2, .bundled = 2, .cuts = 1},
    {.name = "cuts_and_crashes", .tasks = 2, .slots = 2, .crashes = 1, .bundled = 2, .cuts = 1},
    {.name = "crashes_and_revokes", .tasks = 2, .slots = 2, .crashes = 1, .revocations = 1},
};

int report(const Findings& found, const char* expected) {
  std::printf("%zu states, %zu executions, %zu choices, %zu steps, longest execution %zu steps%s\n",
              found.states, found.executions, found.choices, found.steps, found.longest,
              found.complete ? ", complete" : "");
  if (!found.violation.empty()) {
    std::printf("violation: %s\n%s", found.violation.c_str(), found.trace.c_str());
    std::printf("violation: %s\n", found.violation.c_str());
  }
  if (expected) {
    const bool seen = found.violation.find(expected) != std::string::npos;
    std::puts(seen ? "found as expected" : "not found");
    return seen && !found.violation.empty() ? 0 : 1;
  }
  return found.violation.empty() && found.complete ? 0 : 1;
}

int explore(const char* name, const char* expected) {
  for (const Plan& plan : plans) {
    if (std::strcmp(plan.name, name) != 0) continue;
    const auto begin = std::chrono::steady_clock::now();
    const Findings found =
        explorer().explore([&plan]() -> World* { return new LaneWorld(plan); }, most_states);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    std::printf("%s: %.2f s\n", name, took.count());
    return report(found, expected);
  }
  std::fprintf(stderr, "cannot find the scenario '%s'\n", name);
  return 2;
}

}  // namespace
}  // namespace brood::model

int main(int argc, char** argv) {
  if (argc < 2) {
    for (const auto& plan : brood::model::plans) std::puts(plan.name);
    return 2;
  }
  return brood::model::explore(argv[1], argc > 2 ? argv[2] : nullptr);
}
