// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <brood/brood.hpp>

#include "process/targets.hpp"

namespace brood::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST_P(EachProcess, starts_others_two_levels_deep_in_order) {
  struct Tree {
    std::string file;
    Context context;
    void operator()(int depth, const std::string& path) const {
      write_file(file, path + '\n');
      if (depth == 0) return;
      for (const char* branch : {"0", "1"}) {
        Process child({.context = context}, *this, depth - 1, path + branch);
        child.start();
        child.join();
        if (child.exitcode() != 0) std::exit(9);
      }
    }
  };
  const std::string file = scratch_.path("tree");
  EXPECT_EQ(exitcode_of(Tree{file, GetParam()}, 2, ""), 0);
  EXPECT_EQ(read_file(file), "\n0\n00\n01\n1\n10\n11\n");
}

TEST_P(EachProcess, names_its_children_after_itself) {
  const std::string file = scratch_.path("told");
  Process outer = make(
      [](const std::string& told) {
        Process inner(tell_self, told);
        inner.start();
        inner.join();
      },
      file);
  const std::string outer_name = outer.name();
  EXPECT_THAT(outer_name, ::testing::StartsWith("Process-"));
  outer.start();
  outer.join();
  EXPECT_THAT(read_file(file),
              AllOf(::testing::StartsWith(outer_name + ":1 "), HasSubstr(' ' + outer_name + ' ')));
}

TEST_P(EachProcess, outlived_by_its_child_is_seen_to_have_ended) {
  const std::string file = scratch_.path("told");
  const Gate made(scratch_, "made");
  const Gate seen(scratch_, "seen");
  Process outer = make(
      [](const std::string& told, const std::string& at_made, const std::string& at_seen) {
        Process inner(
            [](const std::string& to, const std::string& first, const std::string& last) {
              const ProcessInfo parent = *parent_process();
              const bool was_alive = parent.is_alive() && !parent.join(0s);
              write_file(first, "x");
              const bool has_ended = parent.join(50s) && !parent.is_alive();
              write_file(to, was_alive && has_ended ? "right" : "wrong");
              write_file(last, "x");
            },
            told, at_made, at_seen);
        inner.start();
        wait_for_ever();
      },
      file, made.path(), seen.path());
  outer.start();
  pass(made.path());
  outer.kill();
  outer.join();
  pass(seen.path());
  EXPECT_EQ(read_file(file), "right");
}

void start_daemon(const std::string& file, const std::string& gate) {
  Process inner({.daemon = true}, wait_for_ever);
  inner.start();
  write_file(file, std::to_string(inner.pid()));
  if (gate.empty()) return;
  write_file(gate, "x");
  wait_for_ever();
}

TEST_P(EachProcess, that_is_a_daemon_dies_when_its_parent_returns) {
  const std::string file = scratch_.path("pid");
  EXPECT_EQ(exitcode_of(start_daemon, file, ""), 0);
  EXPECT_TRUE(ends(std::stoi(read_file(file))));
}

TEST_P(EachProcess, that_is_a_daemon_dies_when_its_parent_is_killed) {
  const std::string file = scratch_.path("pid");
  const Gate made(scratch_);
  Process outer = make(start_daemon, file, made.path());
  outer.start();
  pass(made.path());
  outer.kill();
  outer.join();
  EXPECT_TRUE(ends(std::stoi(read_file(file))));
}

TEST_P(EachProcess, that_is_no_daemon_is_joined_at_exit) {
  const std::string file = scratch_.path("told");
  const Gate gate(scratch_);
  Process outer = make(
      [](const std::string& told, const std::string& at) {
        // Never destroyed, so that nobody but the end of the process joins it.
        auto& inner = *new Process(
            [](const std::string& to, const std::string& first) {
              pass(first);
              write_file(to, "done");
            },
            told, at);
        inner.start();
      },
      file, gate.path());
  outer.start();
  gate.open();
  outer.join();
  EXPECT_EQ(outer.exitcode(), 0);
  EXPECT_EQ(read_file(file), "done");
}

TEST_P(EachProcess, waits_for_its_threads) {
  const std::string file = scratch_.path("told");
  const Gate gate(scratch_);
  Process process = make(
      [](const std::string& told, const std::string& at) {
        auto& thread = *new Thread([told, at] {
          pass(at);
          write_file(told, "done");
        });
        thread.start();
        auto& daemon = *new Thread({.daemon = true}, wait_for_ever);
        daemon.start();
      },
      file, gate.path());
  process.start();
  gate.open();
  process.join();
  EXPECT_EQ(process.exitcode(), 0);
  EXPECT_EQ(read_file(file), "done");
}

TEST_P(EachProcess, uses_a_pool) {
  const std::string file = scratch_.path("told");
  EXPECT_EQ(exitcode_of(
                [](const std::string& told) {
                  Pool pool{2};
                  const auto squares = pool.map([](int x) { return x * x; }, {1, 2, 3});
                  for (const int square : squares) write_file(told, std::to_string(square) + ' ');
                },
                file),
            0);
  EXPECT_EQ(read_file(file), "1 4 9 ");
}

INSTANTIATE_TEST_SUITE_P(contexts, EachProcess, every_process, name_of);

TEST(MainProcess, is_its_own_and_has_no_parent) {
  const ProcessInfo me = current_process();
  EXPECT_EQ(me.name(), "MainProcess");
  EXPECT_EQ(me.pid, ::getpid());
  EXPECT_FALSE(me.daemon);
  EXPECT_TRUE(me.is_alive());
  EXPECT_EQ(me.exitcode(), std::nullopt);
  EXPECT_THROW(me.join(), ValueError);
  EXPECT_EQ(parent_process(), std::nullopt);
  EXPECT_GE(cpu_count(), 1);
}

TEST(PoolWorker, is_a_daemon_of_the_program) {
  Pool pool{{.processes = 1, .name = "decoders"}};
  const std::string told = pool.apply(self);
  EXPECT_THAT(told, ::testing::MatchesRegex("decoders-[0-9]+ [0-9]+ 1 1 MainProcess [0-9]+"));
  EXPECT_THAT(told, ::testing::EndsWith(' ' + std::to_string(::getpid())));
  EXPECT_EQ(pool.apply([] {
    Process inner({.daemon = false}, leave, 5);
    inner.start();
    inner.join();
    return *inner.exitcode();
  }),
            5);
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
