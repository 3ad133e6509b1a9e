// SPDX-License-Identifier: MIT
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <future>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "pool/whereabouts.hpp"
#include "support/program.hpp"

// How nice the workers of a pool are.
namespace brood::testing {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;

int at_initialization = 0;

std::vector<int> niceness_of(const std::vector<Whereabouts>& workers) {
  std::vector<int> all;
  for (const Whereabouts& worker : workers) all.push_back(worker.niceness);
  return all;
}

// Of a worker, relative to this thread.
int nicer_by(int steps) { return std::min(own_niceness() + steps, 19); }

class Priority : public AllContexts {
 protected:
  PoolOptions nicer(Count steps, Count workers = 2) const {
    PoolOptions nice = options(workers);
    nice.priority = steps;
    return nice;
  }
};
INSTANTIATE_TEST_SUITE_P(contexts, Priority, every_context, name_of);

TEST_P(Priority, is_a_niceness_beyond_that_of_the_program) {
  const int before = own_niceness();
  for (const long steps : {0L, 1L, 7L}) {
    Pool pool(nicer(steps));
    EXPECT_THAT(niceness_of(of_all(pool, 2)), Each(nicer_by(static_cast<int>(steps))));
  }
  EXPECT_EQ(own_niceness(), before);
}

TEST_P(Priority, ends_at_the_last_there_is) {
  Pool pool(nicer(19, 1));
  EXPECT_EQ(pool.apply(own_niceness), 19);
  const auto inner = [] {
    Pool mine{{.processes = 1, .context = Context::thread, .priority = 5}};
    return mine.apply(own_niceness);
  };
  EXPECT_EQ(pool.apply(inner), 19);
}

TEST_P(Priority, counts_from_the_thread_that_makes_the_pool) {
  Pool pool(nicer(2, 1));
  const auto inner = [] {
    Pool mine{{.processes = 1, .context = Context::thread, .priority = 3}};
    return mine.apply(own_niceness);
  };
  EXPECT_EQ(pool.apply(inner), nicer_by(5));
}

TEST_P(Priority, is_there_before_the_initializer_runs) {
  PoolOptions nice = nicer(4, 1);
  nice.initializer = [] { at_initialization = own_niceness(); };
  Pool pool(nice);
  EXPECT_EQ(pool.apply([] { return at_initialization; }), nicer_by(4));
}

TEST_P(Priority, is_that_of_what_a_task_starts) {
  Pool pool(nicer(4, 1));
  const auto by_thread = [] {
    int niceness = 0;
    std::thread([&] { niceness = own_niceness(); }).join();
    return niceness;
  };
  EXPECT_EQ(pool.apply(by_thread), nicer_by(4));
}

TEST_P(Priority, is_not_that_of_callbacks) {
  Pool pool(nicer(4, 1));
  std::promise<int> called;
  pool.apply_async({.callback = [&](int) { called.set_value(own_niceness()); }}, square, 2);
  EXPECT_EQ(called.get_future().get(), own_niceness());
}

TEST_P(Priority, holds_for_workers_that_come_later) {
  Pool pool(nicer(4, 1));
  pool.resize(3);
  EXPECT_THAT(niceness_of(of_all(pool, 3)), Each(nicer_by(4)));
}

TEST_P(Priority, that_is_no_niceness_is_refused) {
  for (const int steps : {20, -21, 1000}) {
    try {
      Pool pool(nicer(steps));
      ADD_FAILURE() << steps;
    } catch (const ValueError& refusal) {
      EXPECT_THAT(refusal.what(), AllOf(HasSubstr("cannot use priority = " + std::to_string(steps)),
                                        HasSubstr("from -20 (first in line) to 19 (last)")));
    }
  }
}

class PriorityOfProcesses : public Priority {};
INSTANTIATE_TEST_SUITE_P(contexts, PriorityOfProcesses, every_process, name_of);

TEST_P(PriorityOfProcesses, is_that_of_replacements) {
  Pool pool(nicer(4, 1));
  for (int round = 0; round < 3; ++round) {
    EXPECT_THROW(pool.apply([] { std::raise(SIGKILL); }), WorkerCrashed);
    EXPECT_EQ(pool.apply(own_niceness), nicer_by(4));
  }
}

TEST_P(PriorityOfProcesses, is_theirs_after_a_preload) {
  PoolOptions nice = nicer(4, 1);
  nice.preload = [] { at_initialization = own_niceness(); };
  Pool pool(nice);
  EXPECT_EQ(pool.apply(own_niceness), nicer_by(4));
  EXPECT_EQ(pool.apply([] { return at_initialization; }), own_niceness());
}

// A program that wants to be first in line, and writes what became of it.
int be_favoured(const std::string& context) {
  Context wanted = Context::forkserver;
  for (const Context each : {Context::fork, Context::spawn, Context::thread}) {
    if (name_of({each, 0}) == context) wanted = each;
  }
  const int before = own_niceness();
  try {
    Pool pool{{.processes = 1, .context = wanted, .priority = -3}};
    std::cout << pool.apply(own_niceness) - before << " steps";
  } catch (const SystemError& refusal) {
    std::cout << refusal.what();
  }
  std::cout << (own_niceness() == before ? "" : ", and the program too");
  return 0;
}

// Takes the permission that root has; another has none that could be taken.
void lose_permission() { ::prctl(PR_CAPBSET_DROP, CAP_SYS_NICE, 0, 0, 0); }
void limit_niceness_to(int niceness) {
  const rlimit limit{static_cast<rlim_t>(20 - niceness), static_cast<rlim_t>(20 - niceness)};
  ::setrlimit(RLIMIT_NICE, &limit);
}
// Whether this process has it, which some runs of the tests have and some have not.
bool has_permission(int niceness) {
  const int own = own_niceness();
  const bool has = ::setpriority(PRIO_PROCESS, 0, niceness) == 0;
  return ::setpriority(PRIO_PROCESS, 0, own) == 0 && has;
}

class Favour : public Priority {
 protected:
  std::string output_after(const Program::Setup& setup) {
    Program program(
        {std::filesystem::read_symlink("/proc/self/exe"), "--favoured", name_of({GetParam(), 0})},
        setup);
    EXPECT_EQ(program.exitcode(), 0);
    EXPECT_TRUE(program.falls_silent());
    return program.output();
  }
  static std::string refusal(int wanted) {
    return "cannot use priority = -3: this process may not have the niceness " +
           std::to_string(wanted) + "; allow it by `ulimit -e " + std::to_string(20 - wanted) +
           "` (RLIMIT_NICE) or the capability CAP_SYS_NICE";
  }
};
INSTANTIATE_TEST_SUITE_P(contexts, Favour, every_context, name_of);

TEST_P(Favour, is_refused_without_permission_in_words_that_help) {
  const int own = own_niceness();
  const auto setup = [&] {
    limit_niceness_to(own);
    lose_permission();
  };
  EXPECT_EQ(output_after(setup), refusal(std::max(own - 3, -20)));
}

TEST_P(Favour, is_granted_with_permission) {
  const int wanted = own_niceness() - 3;
  EXPECT_EQ(output_after({}), has_permission(wanted) ? "-3 steps" : refusal(wanted));
}

}  // namespace
}  // namespace brood::testing

int main(int argc, char** argv) {
  brood::init(argc, argv);
  if (argc == 3 && argv[1] == std::string("--favoured")) {
    return brood::testing::be_favoured(argv[2]);
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
