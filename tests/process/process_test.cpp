// SPDX-License-Identifier: MIT
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <brood/brood.hpp>

#include "process/targets.hpp"

namespace brood::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST_P(EachProcess, goes_from_its_start_to_its_end) {
  const Gate gate(scratch_);
  Process process = make(wait_at, gate.path());
  EXPECT_FALSE(process.is_alive());
  EXPECT_EQ(process.pid(), 0);
  EXPECT_EQ(process.exitcode(), std::nullopt);
  EXPECT_TRUE(active_children().empty());

  process.start();
  EXPECT_TRUE(process.is_alive());
  EXPECT_NE(process.pid(), 0);
  EXPECT_NE(process.pid(), ::getpid());
  EXPECT_EQ(process.exitcode(), std::nullopt);
  EXPECT_FALSE(process.join(0s));
  EXPECT_FALSE(process.join(-1s));
  EXPECT_FALSE(process.join(1ms));
  ASSERT_EQ(active_children().size(), 1u);
  EXPECT_EQ(active_children()[0].pid, process.pid());
  EXPECT_TRUE(active_children()[0].is_alive());

  const int pid = process.pid();
  gate.open();
  EXPECT_TRUE(process.join());
  EXPECT_TRUE(process.join(0s));
  EXPECT_FALSE(process.is_alive());
  EXPECT_EQ(process.exitcode(), 0);
  EXPECT_EQ(process.pid(), pid);
  EXPECT_TRUE(active_children().empty());
}

TEST_P(EachProcess, ends_with_a_code) {
  EXPECT_EQ(exitcode_of(nothing), 0);
  EXPECT_EQ(exitcode_of(seven), 0);
  EXPECT_EQ(exitcode_of(leave, 3), 3);
  EXPECT_EQ(exitcode_of(vanish, 4), 4);
  EXPECT_EQ(exitcode_of(abort_now), -SIGABRT);
  EXPECT_EQ(exitcode_of([] { ::raise(SIGKILL); }), -SIGKILL);
}

TEST_P(EachProcess, ends_with_1_for_an_exception) {
  EXPECT_EQ(exitcode_of(fail), 1);
  EXPECT_EQ(exitcode_of([] { throw 5; }), 1);
}

TEST_P(EachProcess, is_told_to_end) {
  Process one = make(wait_for_ever);
  Process other = make(wait_for_ever);
  one.start();
  other.start();
  one.terminate();
  other.kill();
  EXPECT_TRUE(one.join());
  EXPECT_TRUE(other.join());
  EXPECT_EQ(one.exitcode(), -SIGTERM);
  EXPECT_EQ(other.exitcode(), -SIGKILL);
  one.terminate();  // nothing happens
  one.kill();
  EXPECT_EQ(one.exitcode(), -SIGTERM);
}

TEST_P(EachProcess, has_its_arguments) {
  const std::string file = scratch_.path("told");
  EXPECT_EQ(exitcode_of(tell_arguments, file, 1, std::vector<std::string>{"a", "b"}, "literal"), 0);
  EXPECT_EQ(read_file(file), "1bliteral");
}

TEST_P(EachProcess, knows_itself_and_its_parent) {
  const std::string file = scratch_.path("told");
  Process process({.name = "cruncher", .daemon = true, .context = GetParam()}, tell_self, file);
  EXPECT_EQ(process.name(), "cruncher");
  EXPECT_TRUE(process.daemon());
  process.start();
  process.join();
  EXPECT_EQ(read_file(file), "cruncher " + std::to_string(process.pid()) + " 1 1 MainProcess " +
                                 std::to_string(::getpid()));
}

TEST_P(EachProcess, prints_what_it_is) {
  const Gate gate(scratch_);
  const auto text = [](const Process& process) {
    std::ostringstream out;
    out << process;
    return out.str();
  };
  Process process({.name = "p", .daemon = true, .context = GetParam()}, wait_at, gate.path());
  EXPECT_EQ(text(process), "<Process(p, initial)>");
  process.start();
  const std::string pid = std::to_string(process.pid());
  EXPECT_EQ(text(process), "<Process(p, started daemon " + pid + ")>");
  std::ostringstream info;
  info << active_children().at(0);
  EXPECT_EQ(info.str(), "<Process(p, started daemon " + pid + ")>");
  gate.open();
  process.join();
  EXPECT_EQ(text(process), "<Process(p, stopped " + pid + ", exitcode 0)>");
  process.close();
  EXPECT_EQ(text(process), "<Process(p, closed)>");
}

TEST_P(EachProcess, has_a_descriptor_to_poll) {
  const Gate gate(scratch_);
  Process process = make(wait_at, gate.path());
  EXPECT_THAT([&] { process.sentinel(); }, ThrowsMessage<ValueError>(HasSubstr("not started")));
  process.start();
  struct pollfd watched{process.sentinel(), POLLIN, 0};
  EXPECT_EQ(::poll(&watched, 1, 0), 0);
  gate.open();
  EXPECT_EQ(::poll(&watched, 1, 50'000), 1);
  EXPECT_FALSE(process.is_alive());
}

TEST_P(EachProcess, is_closed_once_it_has_ended) {
  const Gate gate(scratch_);
  Process process = make(wait_at, gate.path());
  process.start();
  EXPECT_THAT([&] { process.close(); }, ThrowsMessage<ValueError>(HasSubstr("still running")));
  gate.open();
  process.join();
  process.close();
  process.close();
  EXPECT_THROW(process.is_alive(), ValueError);
  EXPECT_THROW(process.join(), ValueError);
  EXPECT_THROW(process.terminate(), ValueError);
  EXPECT_THROW(process.exitcode(), ValueError);
  EXPECT_THROW(process.start(), ValueError);
  EXPECT_THROW(process.sentinel(), ValueError);
  EXPECT_FALSE(process.name().empty());
}

TEST_P(EachProcess, starts_once) {
  Process process = make(nothing);
  EXPECT_THAT([&] { process.join(); }, ThrowsMessage<ValueError>(HasSubstr("not started")));
  EXPECT_THROW(process.terminate(), ValueError);
  EXPECT_THROW(process.kill(), ValueError);
  process.start();
  EXPECT_THAT([&] { process.start(); }, ThrowsMessage<ValueError>(HasSubstr("started before")));
  process.join();
  EXPECT_THROW(process.start(), ValueError);
}

TEST_P(EachProcess, moves) {
  const Gate gate(scratch_);
  Process one = make(wait_at, gate.path());
  one.start();
  Process other = std::move(one);
  EXPECT_THROW(one.join(), ValueError);  // NOLINT(bugprone-use-after-move)
  EXPECT_TRUE(other.is_alive());
  gate.open();
  other.join();
  one = std::move(other);
  EXPECT_EQ(one.exitcode(), 0);
}

TEST_P(EachProcess, is_joined_when_it_is_destroyed) {
  const std::string file = scratch_.path("told");
  {
    Process process = make(tell_self, file);
    process.start();
  }
  EXPECT_NE(read_file(file), "");
}

TEST_P(EachProcess, comes_in_hundreds) {
  std::vector<Process> quick;
  std::vector<Process> slow;
  for (int i = 0; i < 100; ++i) {
    quick.push_back(make(nothing));
    quick.back().start();
  }
  for (int i = 0; i < 30; ++i) {
    slow.push_back(make(wait_for_ever));
    slow.back().start();
    slow.back().terminate();
  }
  for (auto& process : quick) {
    process.join();
    EXPECT_EQ(process.exitcode(), 0);
  }
  for (auto& process : slow) {
    process.join();
    EXPECT_EQ(process.exitcode(), -SIGTERM);
  }
}

TEST_P(EachProcess, leaves_no_descriptor_behind) {
  const auto once = [this] { exitcode_of(nothing); };
  once();
  const int before = open_descriptors();
  for (int i = 0; i < 5; ++i) once();
  EXPECT_EQ(open_descriptors(), before);
}

TEST_P(EachProcess, is_told_apart_from_a_context_that_has_none) {
  EXPECT_THAT([] { Process({.context = Context::thread}, nothing); },
              ThrowsMessage<ValueError>(HasSubstr("Context::thread")));
  EXPECT_THROW(Process({.context = Context::mpi}, nothing), ValueError);
}

TEST_P(EachProcess, belongs_to_the_process_that_made_it) {
  Process process = make(nothing);
  process.start();
  const int child = ::fork();
  if (child == 0) {
    int right = 0;
    try {
      process.join();
    } catch (const ContextError&) {
      right = 1;
    }
    // Its destructor would not wait either: here nothing is this one's.
    ::_exit(right == 1 && active_children().empty() ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  process.join();
  EXPECT_EQ(process.exitcode(), 0);
}

INSTANTIATE_TEST_SUITE_P(contexts, EachProcess, every_process, name_of);

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
