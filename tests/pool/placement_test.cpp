// SPDX-License-Identifier: MIT
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <iostream>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>

#include <gmock/gmock.h>

#include "pool/whereabouts.hpp"
#include "support/program.hpp"
#include "support/seccomp.hpp"

// Where the workers of a pool run.
namespace brood::testing {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::Field;
using ::testing::HasSubstr;

CpuNumbers at_initialization;

class WorkersPlaces : public AllContexts {
 protected:
  PoolOptions on(Placement placement, std::size_t workers) const {
    PoolOptions placed = options(workers);
    placed.placement = placement;
    return placed;
  }
};
INSTANTIATE_TEST_SUITE_P(contexts, WorkersPlaces, every_context, name_of);

// How often each core is used, when so many workers have taken turns.
Places turns(const std::set<CpuNumbers>& cores, std::size_t least) {
  Places places;
  for (std::size_t i = 0; i < least; ++i) places.insert(cores.begin(), cores.end());
  return places;
}

TEST_P(WorkersPlaces, are_anywhere_by_default) {
  Pool pool = make_pool(2);
  EXPECT_THAT(of_all(pool, 2), Each(AllOf(Field(&Whereabouts::cpus, own_cpus()),
                                          Field(&Whereabouts::niceness, own_niceness()),
                                          Field(&Whereabouts::node, preferred_node()))));
}

TEST_P(WorkersPlaces, are_cores_of_their_own_while_there_are_enough) {
  const auto cores = own_cores();
  Pool pool(on(Placement::cores, cores.size()));
  EXPECT_EQ(places_of(of_all(pool, cores.size())), turns(cores, 1));
}

TEST_P(WorkersPlaces, are_taken_again_when_all_are) {
  const auto cores = own_cores();
  const std::size_t workers = 2 * cores.size() + 1;
  Pool pool(on(Placement::cores, workers));
  Places places = places_of(of_all(pool, workers));
  for (const CpuNumbers& core : cores) EXPECT_GE(places.count(core), 2U);
  EXPECT_EQ(places.size(), workers);
}

TEST_P(WorkersPlaces, are_the_nodes_of_memory) {
  const auto nodes = own_nodes();
  Pool pool(on(Placement::numa_nodes, 2 * nodes.size()));
  const auto found = of_all(pool, 2 * nodes.size());
  EXPECT_EQ(places_of(found), turns(nodes, 2));
  for (const Whereabouts& worker : found) {
    if (worker.node == -1) continue;  // no kernel for it
    const auto list = "/sys/devices/system/node/node" + std::to_string(worker.node) + "/cpulist";
    EXPECT_EQ(allowed_of(list), worker.cpus);
  }
}

TEST_P(WorkersPlaces, are_used_evenly_through_every_change_of_size) {
  const auto cores = own_cores();
  Pool pool(on(Placement::cores, cores.size()));
  for (const std::size_t turn : {2U, 1U, 3U, 1U}) {
    pool.resize(turn * cores.size());
    eventually([&] { return pool.stats().workers == turn * cores.size(); });
    EXPECT_EQ(places_of(of_all(pool, turn * cores.size())), turns(cores, turn)) << turn;
  }
}

TEST_P(WorkersPlaces, are_within_what_the_thread_that_makes_the_pool_may_use) {
  const CpuNumbers before = own_cpus();
  const CpuNumbers last{before.back()};
  run_on(last);
  Pool cores(on(Placement::cores, 2));
  Pool nodes(on(Placement::numa_nodes, 1));
  EXPECT_EQ(places_of(of_all(cores, 2)), (Places{last, last}));
  EXPECT_EQ(places_of(of_all(nodes, 1)), Places{last});
  run_on(before);
  Pool all(on(Placement::cores, own_cores().size()));
  EXPECT_EQ(places_of(of_all(all, own_cores().size())), turns(own_cores(), 1));
}

TEST_P(WorkersPlaces, are_taken_before_the_initializer_runs) {
  PoolOptions placed = on(Placement::cores, 1);
  placed.initializer = [] { at_initialization = own_cpus(); };
  Pool pool(placed);
  EXPECT_EQ(pool.apply([] { return at_initialization; }), pool.apply(own_cpus));
  EXPECT_EQ(pool.apply(own_cpus), pool.apply([] { return at_initialization; }));
}

TEST_P(WorkersPlaces, are_those_of_what_a_task_starts) {
  Pool pool(on(Placement::cores, 1));
  const auto by_thread = [] {
    CpuNumbers cpus;
    std::thread([&] { cpus = own_cpus(); }).join();
    return cpus;
  };
  EXPECT_EQ(pool.apply(by_thread), pool.apply(own_cpus));
}

TEST_P(WorkersPlaces, are_not_those_of_the_program) {
  const CpuNumbers before = own_cpus();
  Pool pool(on(Placement::cores, 1));
  std::promise<CpuNumbers> called;
  pool.apply_async({.callback = [&](int) { called.set_value(own_cpus()); }}, square, 2);
  EXPECT_EQ(called.get_future().get(), before);
  EXPECT_EQ(own_cpus(), before);
}

TEST_P(WorkersPlaces, hold_for_the_pools_that_a_task_makes) {
  Pool pool(on(Placement::cores, 1));
  const auto inner = [] {
    Pool mine{{.processes = 2, .context = Context::thread, .placement = Placement::cores}};
    return mine.map([](int) { return own_cpus(); }, {1, 2});
  };
  const CpuNumbers outer = pool.apply(own_cpus);
  EXPECT_EQ(pool.apply(inner), (std::vector{outer, outer}));
}

class ProcessesPlaces : public WorkersPlaces {};
INSTANTIATE_TEST_SUITE_P(contexts, ProcessesPlaces, every_process, name_of);

int leaves(Pool* pool, int depth) {
  if (depth == 0) return 1;
  const auto deeper = [&] {
    return pool->apply_async(local([=] { return leaves(pool, depth - 1); }));
  };
  const auto one = deeper();
  const auto other = deeper();
  return one.get() + other.get();
}

// The pool sends its threads from CPU to CPU while they look for work.
TEST(ThreadsPlaces, that_tasks_have_chosen_stay_theirs) {
  Pool pool{{.processes = 3, .context = Context::thread}};
  const CpuNumbers one{own_cpus().front()};
  std::mutex mutex;
  std::map<int, CpuNumbers> known;  // by thread, as it was when a task saw it first
  const auto choose = [&] {
    run_on(one);
    const std::lock_guard lock(mutex);
    known[::gettid()] = one;
  };
  const auto look = [&] {
    const std::lock_guard lock(mutex);
    EXPECT_EQ(known.emplace(::gettid(), own_cpus()).first->second, own_cpus());
  };
  pool.apply(local(choose));
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(pool.apply(local([&] { return leaves(&pool, 6); })), 64);
    pool.apply(local(look));
  }
}

TEST_P(ProcessesPlaces, are_taken_by_their_replacements) {
  const auto cores = own_cores();
  const std::size_t workers = 2 * cores.size();
  Pool pool(on(Placement::cores, workers));
  for (std::size_t killed = 0; killed < workers; ++killed) {
    const auto before = of_all(pool, workers);
    ::kill(before[killed].pid, SIGKILL);
    eventually([&] { return pool.stats().respawned == killed + 1; });
    EXPECT_EQ(places_of(of_all(pool, workers)), turns(cores, 2));
  }
  // Whoever has died before, those who stay are spread.
  pool.resize(cores.size());
  eventually([&] { return pool.stats().workers == cores.size(); });
  EXPECT_EQ(places_of(of_all(pool, cores.size())), turns(cores, 1));
}

TEST_P(ProcessesPlaces, are_taken_by_the_successors_of_those_that_retire) {
  const auto cores = own_cores();
  PoolOptions placed = on(Placement::cores, cores.size());
  placed.maxtasksperchild = 1;
  Pool pool(placed);
  for (int generation = 0; generation < 3; ++generation) {
    EXPECT_EQ(places_of(of_all(pool, cores.size())), turns(cores, 1));
  }
}

TEST_P(ProcessesPlaces, are_taken_after_a_preload) {
  const auto cores = own_cores();
  PoolOptions placed = on(Placement::cores, cores.size());
  placed.preload = [] { at_initialization = own_cpus(); };
  Pool pool(placed);
  EXPECT_EQ(places_of(of_all(pool, cores.size())), turns(cores, 1));
  EXPECT_EQ(pool.apply([] { return at_initialization; }), own_cpus());
}

TEST_P(ProcessesPlaces, are_those_of_a_tasks_children) {
  Pool pool(on(Placement::cores, 1));
  const auto is_inherited = [] {
    const CpuNumbers cpus = own_cpus();
    const int child = ::fork();
    if (child == 0) ::_exit(own_cpus() == cpus ? 0 : 1);
    int status = 0;
    ::waitpid(child, &status, 0);
    return status == 0;
  };
  EXPECT_TRUE(pool.apply(is_inherited));
}

// A program that makes a pool and writes where its workers are.
int be_placed(const std::string& context, Placement placement) {
  Context wanted = Context::forkserver;
  for (const Context each : {Context::fork, Context::spawn, Context::thread}) {
    if (name_of({each, 0}) == context) wanted = each;
  }
  try {
    Pool pool{{.processes = 2, .context = wanted, .placement = placement}};
    pool.apply(whereabouts);
    for (const Whereabouts& worker : of_all(pool, 2)) {
      std::cout << "at";
      for (const unsigned cpu : worker.cpus) std::cout << ' ' << cpu;
      std::cout << ';';
    }
  } catch (const Error& refusal) {
    std::cout << refusal.what();
  }
  return 0;
}

class ProgramsPlaces : public WorkersPlaces {
 protected:
  std::string output_after(const Program::Setup& setup, const std::string& where = "cores") {
    Program program({std::filesystem::read_symlink("/proc/self/exe"), "--placed",
                     name_of({GetParam(), 0}), where},
                    setup);
    EXPECT_EQ(program.exitcode(), 0);
    EXPECT_TRUE(program.falls_silent());
    return program.output();
  }
};
INSTANTIATE_TEST_SUITE_P(contexts, ProgramsPlaces, every_context, name_of);

TEST_P(ProgramsPlaces, are_within_what_it_was_started_with) {
  const CpuNumbers last{own_cpus().back()};
  const std::string place = "at " + std::to_string(last[0]) + ';';
  EXPECT_EQ(output_after([&] { run_on(last); }), place + place);
}

TEST_P(ProgramsPlaces, need_a_library_that_is_named) {
  const Scratch scratch;
  write_file(scratch.path("libhwloc.so.15"), "no library");
  const std::string folder = scratch.path("");
  const auto output = output_after([&] { ::setenv("LD_LIBRARY_PATH", folder.c_str(), 1); });
  EXPECT_THAT(output, AllOf(HasSubstr("cannot place workers: "), HasSubstr("libhwloc.so.15"),
                            HasSubstr("install the package libhwloc15")));
}

TEST_P(ProgramsPlaces, that_a_sandbox_forbids_break_the_pool) {
  const auto output = output_after([] { refuse_calls({{SYS_sched_setaffinity}}, EPERM); });
  EXPECT_THAT(output, AllOf(HasSubstr("cannot use this pool: "),
                            HasSubstr("cannot bind a thread to CPUs: Operation not permitted")));
}

TEST_P(ProgramsPlaces, need_no_right_to_a_policy_of_memory) {
  const CpuNumbers last{own_cpus().back()};
  const std::string place = "at " + std::to_string(last[0]) + ';';
  const auto setup = [&] {
    run_on(last);
    refuse_calls({{SYS_set_mempolicy}}, EPERM);
  };
  EXPECT_EQ(output_after(setup, "nodes"), place + place);
}

}  // namespace
}  // namespace brood::testing

int main(int argc, char** argv) {
  brood::init(argc, argv);
  if (argc == 4 && argv[1] == std::string("--placed")) {
    using brood::Placement;
    const bool on_cores = argv[3] == std::string("cores");
    return brood::testing::be_placed(argv[2], on_cores ? Placement::cores : Placement::numa_nodes);
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
