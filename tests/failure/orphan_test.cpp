// SPDX-License-Identifier: MIT
//
// However a program ends, and whatever its workers do then: nothing of it is left.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/census.hpp"
#include "support/program.hpp"

namespace brood::testing {
namespace {

using ::testing::Combine;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
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

class Orphaned : public ::testing::TestWithParam<std::string> {};
std::string context_of(const ::testing::TestParamInfo<std::string>& info) { return info.param; }
INSTANTIATE_TEST_SUITE_P(contexts, Orphaned, Values("forkserver", "fork", "spawn"), context_of);

bool is_nursery(const ProcessSight& sight) { return sight.name == "brood-nursery"; }
bool is_worker(const ProcessSight& sight) {
  return sight.name.find("Pool-") == 0 && sight.state != 'Z';
}

// The program's own, and its spare or the two of a pool that copies the program as
// it is.
bool stop_nurseries(Program& program, const std::string& context) {
  const int expected = context == "fork" ? 3 : 2;
  // A worker that was just born still bears its nursery's name; nurseries that are
  // not born yet would be missed.
  if (!program.has(pool_size, is_worker) || !program.has(expected, is_nursery)) return false;
  return program.sees([&] {
    int stopped = 0;
    for (const ProcessSight& sight : program.family()) {
      if (!is_nursery(sight)) continue;
      if (sight.state != 'T') ::kill(sight.pid, SIGSTOP);
      stopped += sight.state == 'T' ? 1 : 0;
    }
    return stopped == expected;
  });
}

// Two ways lead to the end of a worker, the kernel's and the nursery's. Here the
// second is cut off.
TEST_P(Orphaned, workers_end_without_a_nursery) {
  Program program({VICTIM_DOOMED, GetParam(), "spinning", "signal"});
  ASSERT_TRUE(program.says("ready") && program.says("at it", pool_size)) << program.output();
  ASSERT_EQ(program.count(is_worker), pool_size) << list_of(program.family());
  // Stopped, they can't be replaced, as killed ones would be.
  ASSERT_TRUE(stop_nurseries(program, GetParam())) << list_of(program.family());
  program.send(SIGKILL);
  EXPECT_EQ(program.exitcode(), -SIGKILL);
  EXPECT_EQ(program.leftovers(), "");
}

TEST_P(Orphaned, nurseries_end_when_they_are_stopped) {
  Program program({VICTIM_DOOMED, GetParam(), "idle", "signal"});
  ASSERT_TRUE(program.says("ready")) << program.output();
  ASSERT_TRUE(stop_nurseries(program, GetParam())) << list_of(program.family());
  program.send(SIGKILL);
  EXPECT_EQ(program.exitcode(), -SIGKILL);
  EXPECT_EQ(program.leftovers(), "");
}

TEST_P(Orphaned, workers_end_though_a_copy_of_the_program_lives_on) {
  Program program({VICTIM_DOOMED, GetParam(), "copied", "signal"});
  ASSERT_TRUE(program.says("ready") && program.says("copy ")) << program.output();
  program.send(SIGKILL);
  EXPECT_EQ(program.exitcode(), -SIGKILL);
  EXPECT_TRUE(program.sees([&] { return program.family().size() == 1; }))
      << list_of(program.family());
  ASSERT_EQ(program.family().size(), 1U);
  const int copy = program.family().front().pid;
  EXPECT_TRUE(program.says("copy " + std::to_string(copy)));
  ::kill(copy, SIGTERM);
  EXPECT_EQ(program.leftovers(), "");
}

TEST_P(Orphaned, workers_end_when_the_program_becomes_another) {
  Program program({VICTIM_DOOMED, GetParam(), "spinning", "exec"});
  ASSERT_TRUE(program.says("ready") && program.says("at it", pool_size)) << program.output();
  program.go();
  ASSERT_TRUE(program.has(1, [](const auto& sight) { return sight.name == "cat"; }));
  // They are that program's to bury, which knows nothing of them.
  EXPECT_TRUE(program.has(0, [&](const auto& sight) {
    return sight.pid != program.pid() && sight.state != 'Z';
  })) << list_of(program.family());
  program.send(SIGKILL);
  EXPECT_EQ(program.leftovers(), "");
}

// No signal and no line reaches who has left the group. It's on its own, with
// nothing of brood's in its hands.
TEST_P(Orphaned, daemons_that_workers_started_are_no_more_than_daemons) {
  Program program({VICTIM_DOOMED, GetParam(), "daemons", "return"});
  ASSERT_TRUE(program.says("ready") && program.says("grandchild", pool_size)) << program.output();
  program.go();
  EXPECT_EQ(program.exitcode(), 0);
  const auto is_daemon = [](const ProcessSight& sight) { return sight.name == "daemon"; };
  EXPECT_TRUE(program.sees([&] {
    return program.family().size() == pool_size && program.count(is_daemon) == pool_size;
  })) << list_of(program.family());
  for (const ProcessSight& daemon : program.family()) {
    const std::string own = "/proc/" + std::to_string(daemon.pid);
    for (const std::string& number : entries_of(own + "/fd")) {
      // The life-line's end is all that a copy has besides, until it calls exec.
      if (number <= "2") continue;
      EXPECT_THAT(std::filesystem::read_symlink(own + "/fd/" + number).string(),
                  StartsWith("pipe:"));
    }
    std::ifstream maps(own + "/maps");
    const std::string text{std::istreambuf_iterator<char>(maps), {}};
    EXPECT_THAT(text, Not(HasSubstr("/memfd:brood")));
    ::kill(daemon.pid, SIGTERM);
  }
  EXPECT_EQ(program.leftovers(), "");
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
