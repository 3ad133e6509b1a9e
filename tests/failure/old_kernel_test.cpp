// SPDX-License-Identifier: MIT
//
// On a kernel, or in a sandbox, that lacks calls: all works as ever, or one error
// says what is missing.
#include <cerrno>
#include <string>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/census.hpp"
#include "support/program.hpp"
#include "support/seccomp.hpp"

namespace brood::testing {
namespace {

using ::testing::Combine;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Values;

constexpr long futex_waitv_number = 449;
constexpr unsigned by_pidfd = 3;

struct Lack {
  const char* name;
  std::vector<MissingCall> calls;
};

const Lack pidfd_open{"pidfd_open", {{SYS_pidfd_open}}};
const Lack close_range{"close_range", {{SYS_close_range}}};
const Lack clone3{"clone3", {{SYS_clone3}}};
const Lack futex_waitv{"futex_waitv", {{futex_waitv_number}}};
const Lack pidfd_send_signal{"pidfd_send_signal", {{SYS_pidfd_send_signal}}};
const Lack waitid_by_pidfd{"waitid_by_pidfd", {{SYS_waitid, by_pidfd}}};
const Lack all_of_linux_5_2{"all_of_linux_5_2",
                            {{SYS_pidfd_open},
                             {SYS_close_range},
                             {SYS_clone3},
                             {futex_waitv_number},
                             {SYS_waitid, by_pidfd}}};
// Without it the C library starts no thread.
const Lack all_but_clone3{"all_but_clone3",
                          {{SYS_pidfd_open},
                           {SYS_close_range},
                           {futex_waitv_number},
                           {SYS_pidfd_send_signal},
                           {SYS_waitid, by_pidfd}}};
const Lack all_of_them{"all_of_them",
                       {{SYS_pidfd_open},
                        {SYS_close_range},
                        {SYS_clone3},
                        {futex_waitv_number},
                        {SYS_pidfd_send_signal},
                        {SYS_waitid, by_pidfd}}};

using Case = std::tuple<const char*, Lack, int>;
class OldKernel : public ::testing::TestWithParam<Case> {};

TEST_P(OldKernel, does_all_the_same) {
  const auto& [context, lack, error] = GetParam();
  const Census before = Census::take();
  {
    Program program({VICTIM_EXERCISER, context}, [&] { refuse_calls(lack.calls, error); });
    EXPECT_EQ(program.exitcode(), 0);
    EXPECT_EQ(program.leftovers(), "");
    EXPECT_TRUE(program.falls_silent());
    EXPECT_EQ(program.output(), "all is well\n");
    EXPECT_THAT(program.files(), IsEmpty());
  }
  EXPECT_EQ(left_since(before), "");
}

std::string name_of(const ::testing::TestParamInfo<Case>& info) {
  const auto& [context, lack, error] = info.param;
  return std::string(context) + "_without_" + lack.name + "_by_" +
         (error == ENOSYS ? "ENOSYS" : "EPERM");
}

INSTANTIATE_TEST_SUITE_P(calls, OldKernel,
                         Combine(Values("forkserver", "fork", "spawn"),
                                 Values(pidfd_open, close_range, clone3, futex_waitv,
                                        pidfd_send_signal, waitid_by_pidfd, all_of_linux_5_2,
                                        all_of_them),
                                 Values(ENOSYS)),
                         name_of);
// Sandboxes of old don't say that they know no such call, but forbid it.
INSTANTIATE_TEST_SUITE_P(sandbox, OldKernel,
                         Combine(Values("forkserver", "fork", "spawn"), Values(all_but_clone3),
                                 Values(EPERM)),
                         name_of);

class TooOldKernel : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(contexts, TooOldKernel, Values("forkserver", "fork", "spawn"));

TEST_P(TooOldKernel, without_memfd_create_is_named_in_one_error) {
  Program program({VICTIM_EXERCISER, GetParam()},
                  [] { refuse_calls({{SYS_memfd_create}}, ENOSYS); });
  EXPECT_EQ(program.exitcode(), 3);
  EXPECT_EQ(program.leftovers(), "");
  EXPECT_TRUE(program.falls_silent());
  EXPECT_THAT(program.output(), HasSubstr("error: cannot make shared memory"));
  EXPECT_THAT(program.output(), HasSubstr("memfd_create"));
}

}  // namespace
}  // namespace brood::testing
