// SPDX-License-Identifier: MIT
//
// However a program ends, and whatever its workers do then: nothing of it is left.
#include <string>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/census.hpp"
#include "support/program.hpp"

namespace brood::testing {
namespace {

using ::testing::Combine;
using ::testing::IsEmpty;
using ::testing::Values;

struct End {
  const char* name;
  const char* word;  // for the program
  int signal;        // for the tester to send
  int exitcode;
};

using Case = std::tuple<const char*, const char*, End>;

constexpr int pool_size = 2;
constexpr int grandchildren = 2;  // of each worker: a copy, and system()'s shell

class Orphans : public ::testing::TestWithParam<Case> {};

bool workers_are(Program& program, const std::string& state) {
  if (state == "idle") return true;
  if (!program.says("at it", pool_size)) return false;
  if (state == "spinning") return true;
  if (state == "stopped") {
    return program.has(pool_size, [](const ProcessSight& sight) { return sight.state == 'T'; });
  }
  return program.says("grandchild", pool_size) &&
         program.has(pool_size, [](const ProcessSight& sight) { return sight.name == "sleep"; });
}

TEST_P(Orphans, are_never_left) {
  const auto& [context, workers, end] = GetParam();
  const Census before = Census::take();
  {
    Program program({VICTIM_DOOMED, context, workers, end.word});
    ASSERT_TRUE(program.says("ready")) << program.output();
    ASSERT_TRUE(workers_are(program, workers)) << program.output() << list_of(program.family());
    // The program, a nursery, the workers and theirs; none of them a zombie.
    const std::size_t least =
        2 + pool_size * (1 + (std::string(workers) == "parents" ? grandchildren : 0));
    EXPECT_GE(program.family().size(), least) << list_of(program.family());
    EXPECT_TRUE(program.has(0, [](const ProcessSight& sight) { return sight.state == 'Z'; }));

    if (end.signal != 0) program.send(end.signal);
    program.go();
    EXPECT_EQ(program.exitcode(), end.exitcode) << program.output();
    EXPECT_EQ(program.leftovers(), "");
    EXPECT_TRUE(program.falls_silent());
    EXPECT_THAT(program.files(), IsEmpty());
  }
  EXPECT_EQ(left_since(before), "");
}

std::string name_of(const ::testing::TestParamInfo<Case>& info) {
  const auto& [context, workers, end] = info.param;
  return std::string(context) + "_with_" + workers + "_workers_by_" + end.name;
}

INSTANTIATE_TEST_SUITE_P(
    ends, Orphans,
    Combine(Values("forkserver", "fork", "spawn"), Values("idle", "spinning", "stopped", "parents"),
            Values(End{"return", "return", 0, 0}, End{"exception", "exception", 0, -SIGABRT},
                   End{"exit", "exit", 0, 3}, End{"quick_exit", "_exit", 0, 4},
                   End{"abort", "abort", 0, -SIGABRT}, End{"SIGKILL", "signal", SIGKILL, -SIGKILL},
                   End{"SIGTERM", "signal", SIGTERM, -SIGTERM},
                   End{"SIGINT", "signal", SIGINT, -SIGINT})),
    name_of);

}  // namespace
}  // namespace brood::testing
