// SPDX-License-Identifier: MIT
//
// Programs that are, or whose children are, the first process of a pid namespace,
// as in a container; and programs that can't see /proc.
#include <sched.h>
#include <sys/mount.h>

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
using ::testing::StartsWith;
using ::testing::Values;

void require(bool success) {
  if (!success) ::_exit(125);
}

void enter(int namespaces) {
  // Who isn't root may have namespaces within a user's own.
  if (::unshare(namespaces) != 0) require(::unshare(namespaces | CLONE_NEWUSER) == 0);
  if ((namespaces & CLONE_NEWNS) != 0) {
    require(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
  }
}

// The caller goes on as the first process of its namespace; what it leaves with is
// passed on.
void go_on_as_first_process() {
  const pid_t first = ::fork();
  require(first != -1);
  if (first == 0) return;
  // Like its own child, it has no hand on the pipes.
  ::close(0);
  ::close(1);
  ::close(2);
  int status = 0;
  ::waitpid(first, &status, 0);
  ::_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

bool may_have(int namespaces) {
  const pid_t child = ::fork();
  if (child == 0) {
    enter(namespaces);
    ::_exit(0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return status == 0;
}

struct World {
  const char* name;
  int namespaces;
  void (*settle)();
};

const World first_process{"that_is_the_first_process", CLONE_NEWPID, go_on_as_first_process};
const World container{"in_a_container", CLONE_NEWPID | CLONE_NEWNS, [] {
                        go_on_as_first_process();
                        require(::mount("proc", "/proc", "proc", 0, nullptr) == 0);
                      }};
const World no_proc{"that_has_no_proc", CLONE_NEWNS,
                    [] { require(::mount("none", "/proc", "tmpfs", 0, nullptr) == 0); }};

using Case = std::tuple<const char*, World>;
class AProgram : public ::testing::TestWithParam<Case> {};

TEST_P(AProgram, works_and_leaves_nothing) {
  const auto& [context, world] = GetParam();
  if (!may_have(world.namespaces)) return;
  const Census before = Census::take();
  {
    Program program({VICTIM_EXERCISER, context}, [&] {
      enter(world.namespaces);
      world.settle();
    });
    EXPECT_EQ(program.exitcode(), 0);
    EXPECT_EQ(program.leftovers(), "");
    EXPECT_TRUE(program.falls_silent());
    EXPECT_EQ(program.output(), "all is well\n");
    EXPECT_THAT(program.files(), IsEmpty());
  }
  EXPECT_EQ(left_since(before), "");
}

class FirstsParent : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(contexts, FirstsParent, Values("forkserver", "fork", "spawn"));

// No thread may be started there.
TEST_P(FirstsParent, is_told_what_to_do) {
  if (!may_have(CLONE_NEWPID)) return;
  Program program({VICTIM_EXERCISER, GetParam()}, [] { enter(CLONE_NEWPID); });
  EXPECT_EQ(program.exitcode(), 3);
  EXPECT_EQ(program.leftovers(), "");
  EXPECT_TRUE(program.falls_silent());
  EXPECT_THAT(program.output(), StartsWith("error: cannot start worker processes: "));
  EXPECT_THAT(program.output(), HasSubstr("pid namespace"));
}

std::string name_of(const ::testing::TestParamInfo<Case>& info) {
  const auto& [context, world] = info.param;
  return std::string(context) + '_' + world.name;
}

INSTANTIATE_TEST_SUITE_P(worlds, AProgram,
                         Combine(Values("forkserver", "fork", "spawn"),
                                 Values(first_process, container, no_proc)),
                         name_of);

}  // namespace
}  // namespace brood::testing
