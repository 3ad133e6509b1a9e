// SPDX-License-Identifier: MIT
//
// What a program has registered for its own end runs once, in the program; what it
// has installed for fatal faults runs wherever they come.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/census.hpp"
#include "support/program.hpp"

namespace brood::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Values;

int count_of(const std::string& text, const std::string& part) {
  int count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

class Handlers : public ::testing::TestWithParam<const char*> {
 protected:
  std::string run(const char* what) {
    const Census before = Census::take();
    std::string output;
    {
      Program program({VICTIM_HANDLERS, GetParam(), what});
      EXPECT_EQ(program.exitcode(), 0);
      EXPECT_EQ(program.leftovers(), "");
      EXPECT_TRUE(program.falls_silent());
      output = program.output();
      own_ = " in " + std::to_string(program.pid()) + '\n';
    }
    EXPECT_EQ(left_since(before), "");
    return output;
  }
  const std::string& own() const { return own_; }

 private:
  std::string own_;
};
std::string name_of(const ::testing::TestParamInfo<const char*>& info) { return info.param; }
INSTANTIATE_TEST_SUITE_P(contexts, Handlers, Values("forkserver", "fork", "spawn"), name_of);

TEST_P(Handlers, of_the_programs_exit_run_in_the_program_alone) {
  const std::string output = run("leave");
  EXPECT_EQ(count_of(output, "\nexit handler in"), 1) << output;
  EXPECT_THAT(output, HasSubstr("exit handler" + own()));
  // The two static objects.
  EXPECT_EQ(count_of(output, "static destructor"), 2) << output;
  EXPECT_EQ(count_of(output, "static destructor" + own()), 2) << output;
  EXPECT_EQ(count_of(output, "quick exit handler"), 0) << output;
  // Those that a task or a target registers itself run where they were registered.
  EXPECT_EQ(count_of(output, "exit handler of a task"), 2) << output;
  EXPECT_THAT(output, Not(HasSubstr("exit handler of a task" + own())));
  for (const char* const end : {"returned\n", "crashed: 0 3\n", "crashed: 0 4\n", "crashed: 0 5\n",
                                "crashed: 0 6\n", "threw\n", "ended: 0\n", "ended: 3\n",
                                "ended: 4\n", "ended: 5\n", "ended: 6\n", "ended: 1\n"}) {
    EXPECT_EQ(count_of(output, end), 1) << end << output;
  }
}

TEST_P(Handlers, of_exceptions_in_threads_run_once_where_the_thread_ran) {
  const std::string output = run("hook");
  EXPECT_EQ(count_of(output, "hook in"), 1) << output;
  EXPECT_THAT(output, Not(HasSubstr("hook" + own())));
  EXPECT_THAT(output, HasSubstr("returned\n"));
}

TEST_P(Handlers, of_fatal_signals_that_the_program_installed_are_kept_in_workers) {
  const std::string output = run("fault");
  EXPECT_EQ(count_of(output, "own handler\n"), 2) << output;
  EXPECT_EQ(count_of(output, "crashed: 0 42\n"), 2) << output;
}

}  // namespace
}  // namespace brood::testing
