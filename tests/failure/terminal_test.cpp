// SPDX-License-Identifier: MIT
//
// Programs in front of a terminal, and what its keys do to them and to their
// workers.
#include "support/terminal.hpp"

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

struct Key {
  const char* name;
  const char* code;
  const char* echo;
  int signal;
};

constexpr Key control_c{"control_c", "\x03", "^C", SIGINT};
constexpr Key control_backslash{"control_backslash", "\x1c", "^\\", SIGQUIT};

using Case = std::tuple<const char*, Key>;
class TerminalKey : public ::testing::TestWithParam<Case> {};

TEST_P(TerminalKey, ends_a_program_that_waits_for_a_result_without_a_word_of_its_workers) {
  const auto& [context, key] = GetParam();
  const Census before = Census::take();
  {
    Terminal terminal;
    Program program({VICTIM_INTERRUPTED, context, "heedless"}, [&] { terminal.attach(); });
    ASSERT_TRUE(terminal.shows("at it\nat it\n")) << terminal.screen();
    terminal.type(key.code);
    EXPECT_EQ(program.exitcode(), -key.signal);
    EXPECT_EQ(program.leftovers(), "");
    terminal.watch_to_the_end();
    EXPECT_EQ(terminal.screen(), std::string("at it\nat it\n") + key.echo);
    EXPECT_THAT(program.files(), IsEmpty());
  }
  EXPECT_EQ(left_since(before), "");
}

TEST_P(TerminalKey, leaves_the_pool_to_a_program_that_handles_it) {
  const auto& [context, key] = GetParam();
  const Census before = Census::take();
  {
    Terminal terminal;
    Program program({VICTIM_INTERRUPTED, context, "handling"}, [&] { terminal.attach(); });
    ASSERT_TRUE(terminal.shows("ready\n") && terminal.shows("at it\n", 2)) << terminal.screen();
    terminal.type(key.code);
    EXPECT_EQ(program.exitcode(), 0);
    EXPECT_EQ(program.leftovers(), "");
    terminal.watch_to_the_end();
    EXPECT_EQ(terminal.screen().substr(terminal.screen().find(key.echo)),
              std::string(key.echo) + "the tasks go on\nthe pool works on\n");
  }
  EXPECT_EQ(left_since(before), "");
}

std::string name_of(const ::testing::TestParamInfo<Case>& info) {
  const auto& [context, key] = info.param;
  return std::string(context) + '_' + key.name;
}
INSTANTIATE_TEST_SUITE_P(keys, TerminalKey,
                         Combine(Values("forkserver", "fork", "spawn"),
                                 Values(control_c, control_backslash)),
                         name_of);

class TerminalEnd : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(contexts, TerminalEnd, Values("forkserver", "fork", "spawn"));

TEST_P(TerminalEnd, ends_the_program_and_its_workers) {
  const Census before = Census::take();
  {
    Terminal terminal;
    Program program({VICTIM_INTERRUPTED, GetParam(), "heedless"}, [&] { terminal.attach(); });
    ASSERT_TRUE(terminal.shows("at it\nat it\n")) << terminal.screen();
    terminal.hang_up();
    EXPECT_EQ(program.exitcode(), -SIGHUP);
    EXPECT_EQ(program.leftovers(), "");
  }
  EXPECT_EQ(left_since(before), "");
}

}  // namespace
}  // namespace brood::testing
