// SPDX-License-Identifier: MIT
//
// Whole programs, from their first line to whatever end they come to.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/program.hpp"
#include "support/scratch.hpp"

namespace brood::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

const std::string all_is_well = "forkserver: 7 9\nfork: 7 9\nspawn: 7 9\n";
const std::string says_how_to_spawn =
    "spawn: cannot spawn a process: the program started anew would run its main again, since it "
    "never calls brood::init; call brood::init\\(argc, argv\\) as the first line of main\n";

class StartUp : public ::testing::Test {
 protected:
  // What the program told. It must have left nothing behind.
  std::string told_by(std::vector<std::string> words, const Program::Setup& setup = {}) {
    words.insert(words.begin(), STRANGER);
    return run(std::move(words), setup);
  }
  std::string run(std::vector<std::string> words, const Program::Setup& setup = {}) {
    words.insert(words.begin() + 2, file_);
    Program program(words, setup);
    exitcode_ = program.exitcode();
    EXPECT_EQ(program.leftovers(), "");
    program.falls_silent();
    printed_ = program.output();
    return read_file(file_);
  }

  const Scratch scratch_;
  const std::string file_ = scratch_.path("told");
  std::optional<int> exitcode_;
  std::string printed_;
};

TEST_F(StartUp, works_with_init) {
  EXPECT_EQ(told_by({"none"}), all_is_well);
  EXPECT_EQ(exitcode_, 0);
  EXPECT_EQ(printed_, "");
}

TEST_F(StartUp, works_with_init_again_and_without_arguments) {
  EXPECT_EQ(told_by({"init again"}), all_is_well);
}

TEST_F(StartUp, works_without_init_but_for_what_runs_main_again) {
  EXPECT_THAT(told_by({"no init"}),
              MatchesRegex("forkserver: 7 9\nfork: 7 9\n" + says_how_to_spawn));
  EXPECT_EQ(exitcode_, 0);
}

TEST_F(StartUp, without_init_and_with_threads_says_what_to_do) {
  EXPECT_THAT(
      told_by({"threads"}),
      MatchesRegex("forkserver: cannot start worker processes: brood::init was not called before "
                   "the program's first thread \\(now running: 'bystander'.*\\); call "
                   "brood::init\\(argc, argv\\) as the first line of main\n"
                   "fork: cannot fork this program: other threads run.*'bystander'.*\n" +
                   says_how_to_spawn +
                   "cannot start worker processes: brood::init was not called before .*\n"
                   "cannot fork this program: other threads run.*'bystander'.*\n"
                   "cannot start worker processes: brood::init was not called before .*\n"
                   "init: cannot start worker processes: .*'bystander'.* as the first line of "
                   "main\n"
                   "forkserver: 7 9\n"));
}

TEST_F(StartUp, does_not_need_the_arguments_that_the_program_was_given) {
  EXPECT_EQ(told_by({"defaced"}), all_is_well);
  EXPECT_EQ(std::filesystem::remove(file_), true);
  EXPECT_EQ(told_by({"defaced before init"}), all_is_well);
}

TEST_F(StartUp, does_not_need_the_programs_file) {
  for (const char* trouble : {"deleted", "replaced"}) {
    const std::string copy = scratch_.path(trouble);
    std::filesystem::copy_file(STRANGER, copy);
    EXPECT_EQ(run({copy, trouble}), all_is_well) << trouble;
    std::filesystem::remove(file_);
  }
}

TEST_F(StartUp, does_not_need_the_working_folder) {
  EXPECT_EQ(told_by({"no folder"}), all_is_well);
}

TEST_F(StartUp, has_the_whole_exception_printed_before_a_join_returns) {
  EXPECT_EQ(told_by({"failures"}), "1\n1\n1\n");
  EXPECT_EQ(printed_,
            "Exception in process forkserver: std::runtime_error: no luck\n"
            "Exception in process fork: std::runtime_error: no luck\n"
            "Exception in process spawn: std::runtime_error: no luck\n");
}

TEST_F(StartUp, leaves_a_process_as_it_was_when_no_descriptor_is_left_for_it) {
  const std::string each = "cannot .*ulimit -n.*\n0\n5\n";
  EXPECT_THAT(told_by({"no descriptor"}), MatchesRegex(each + each + each));
}

// Bit n: descriptor n is closed when the program starts.
class WithoutStreams : public StartUp, public ::testing::WithParamInterface<int> {
 protected:
  static Program::Setup closing(int closed) {
    return [closed] {
      for (int fd = 0; fd < 3; ++fd) {
        if ((closed >> fd & 1) != 0) ::close(fd);
      }
    };
  }
};

TEST_P(WithoutStreams, brood_takes_none_of_their_numbers) {
  std::string streams = "+++";
  for (std::size_t fd = 0; fd < 3; ++fd) {
    if ((GetParam() >> fd & 1) != 0) streams[fd] = '-';
  }
  // A child reads from nowhere, whatever its parent does.
  const std::string in_worker = '+' + streams.substr(1);
  EXPECT_EQ(told_by({"streams"}, closing(GetParam())), "streams " + streams + ' ' + streams + ' ' +
                                                           in_worker + '\n' + all_is_well +
                                                           "daemon alive\n");
  EXPECT_EQ(exitcode_, 0);
}

TEST_P(WithoutStreams, daemons_die_with_the_program_though_no_nursery_is_left) {
  Program program({STRANGER, "end", file_, "wait", "forkserver"}, closing(GetParam()));
  const auto daemon = [this] {
    const std::string told = read_file(file_);
    return told.ends_with('\n') ? std::stoi(told.substr(7)) : 0;
  };
  ASSERT_TRUE(program.sees([&] { return daemon() != 0; }));
  for (const ProcessSight& sight : program.family()) {
    if (sight.name == "brood-nursery") ::kill(sight.pid, SIGKILL);
  }
  ASSERT_TRUE(program.has(0, [](const ProcessSight& sight) {
    return sight.name == "brood-nursery" && sight.state != 'Z';
  }));
  EXPECT_TRUE(look_at_process(daemon()).has_value());
  program.send(SIGKILL);
  EXPECT_EQ(program.exitcode(), -SIGKILL);
  EXPECT_EQ(program.leftovers(), "");
}

INSTANTIATE_TEST_SUITE_P(closed, WithoutStreams, ::testing::Range(0, 8));

struct Way {
  std::string name;
  int exitcode;
};

class End : public StartUp, public ::testing::WithParamInterface<std::tuple<Way, std::string>> {};

TEST_P(End, of_the_program_is_the_end_of_its_daemons) {
  const auto& [way, context] = GetParam();
  EXPECT_THAT(told_by({"end", way.name, context}), MatchesRegex("daemon [0-9]+\n"));
  EXPECT_EQ(exitcode_, way.exitcode);
}

const auto every_context = ::testing::Values("forkserver", "fork", "spawn");

INSTANTIATE_TEST_SUITE_P(
    by, End,
    ::testing::Combine(::testing::Values(Way{"return", 4}, Way{"exit", 5}, Way{"_exit", 6},
                                         Way{"quick_exit", 7}, Way{"abort", -SIGABRT},
                                         Way{"throw", -SIGABRT}, Way{"kill", -SIGKILL},
                                         Way{"terminate", -SIGTERM}, Way{"exec", 0}),
                       every_context),
    [](const auto& each) {
      return std::get<0>(each.param).name + "_of_" + std::get<1>(each.param);
    });

class Exit : public StartUp, public ::testing::WithParamInterface<const char*> {};

TEST_P(Exit, waits_for_a_process_that_is_no_daemon_and_that_nobody_destroys) {
  ASSERT_EQ(::mkfifo((file_ + ".gate").c_str(), 0600), 0);
  EXPECT_EQ(told_by({"leave one", GetParam()}), "main ends\nthe child ends\n");
  EXPECT_EQ(exitcode_, 3);
}

INSTANTIATE_TEST_SUITE_P(in, Exit, every_context);

}  // namespace
}  // namespace brood::testing
