// SPDX-License-Identifier: MIT
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "pool/facts.hpp"
#include "support/processes.hpp"

// Pools in tasks of pools in tasks: they work, they end, and they share the cores.
namespace brood::testing {
namespace {

// As many as 2 to the power of depth.
int leaves(Context context, int depth) {
  if (depth == 0) return 1;
  Pool pool{{.processes = 2, .context = context}};
  int sum = 0;
  for (const int each : pool.map(task(leaves, context), {depth - 1, depth - 1})) sum += each;
  return sum;
}

// Leaves its pid in the folder, as do the workers of the pools that it makes, and
// stays until it's ended.
void stay(const std::string& folder, Context context, int depth) {
  std::ofstream(folder + '/' + std::to_string(::getpid())) << depth;
  if (depth == 0) for_ever();
  Pool pool{{.processes = 1, .context = context}};
  pool.apply(stay, folder, context, depth - 1);
}

std::vector<int> pids_in(const std::string& folder) {
  std::vector<int> pids;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    pids.push_back(std::stoi(entry.path().filename().string()));
  }
  return pids;
}

// A zombie has: who must reap it is another matter.
bool has_ended(int pid) {
  const auto sight = look_at_process(pid);
  return !sight || sight->state == 'Z';
}

class Nesting : public AllContexts {};
INSTANTIATE_TEST_SUITE_P(contexts, Nesting, every_context, name_of);

TEST_P(Nesting, works_three_deep) {
  const Context inner = GetParam() == Context::thread ? Context::forkserver : GetParam();
  Pool pool = make_pool(2);
  EXPECT_EQ(pool.apply(leaves, inner, 2), 4);
  EXPECT_EQ(pool.map(task(leaves, inner), {2, 2}), (std::vector{4, 4}));
}

TEST_P(Nesting, works_with_threads_within) {
  Pool pool = make_pool(2);
  EXPECT_EQ(pool.map(task(leaves, Context::thread), {3, 2}), (std::vector{8, 4}));
}

TEST_P(Nesting, passes_errors_up) {
  Pool pool = make_pool(1);
  const auto inner = [](Context context) {
    Pool mine{{.processes = 1, .context = context}};
    return mine.apply([]() -> int { throw std::out_of_range("deep"); });
  };
  EXPECT_THROW(pool.apply(inner, Context::forkserver), std::out_of_range);
  const auto crashing = [](Context context) {
    Pool mine{{.processes = 1, .context = context}};
    mine.apply([] { std::raise(SIGSEGV); });
  };
  try {
    pool.apply(crashing, Context::forkserver);
    ADD_FAILURE();
  } catch (const WorkerCrashed& crash) {
    EXPECT_EQ(crash.signal(), SIGSEGV);
  }
}

TEST_P(Nesting, shares_the_cores_unless_told_otherwise) {
  const auto size = [] { return Pool{{.context = Context::thread}}.stats().workers; };
  const auto deeper = [] {
    Pool pool{{.processes = 2, .context = Context::thread}};
    return pool.apply([] { return Pool{{.context = Context::thread}}.stats().workers; });
  };
  const auto told = [] {
    return Pool{{.processes = 5, .context = Context::thread}}.stats().workers;
  };
  ::setenv("BROOD_PROCESSES", "12", 1);
  EXPECT_EQ(size(), 12u);
  Pool pool = make_pool(3);
  EXPECT_EQ(pool.apply(size), 4u);
  EXPECT_EQ(pool.apply(deeper), 2u);
  EXPECT_EQ(pool.apply(told), 5u);
  Pool all{{.context = GetParam()}};
  EXPECT_EQ(all.stats().workers, 12u);
  EXPECT_EQ(all.apply(size), 1u);
  ::unsetenv("BROOD_PROCESSES");
  EXPECT_EQ(size(), cpu_count());
}

class NestingProcesses : public Processes {};
INSTANTIATE_TEST_SUITE_P(contexts, NestingProcesses, every_process, name_of);

TEST_P(NestingProcesses, ends_with_the_outermost_however_that_ends) {
  for (const char* how : {"cancel", "timeout", "terminate", "kill"}) {
    const Scratch scratch;
    const std::string folder = scratch.path("pids");
    std::filesystem::create_directory(folder);
    Pool pool = make_pool(1);
    const bool limited = how == std::string("timeout");
    const auto task = pool.apply_async({.timeout = limited ? Timeout(1s) : Timeout()}, stay, folder,
                                       GetParam(), 2);
    eventually([&] { return pids_in(folder).size() == 3 || task.ready(); });
    if (how == std::string("cancel")) task.cancel(0s);
    if (how == std::string("terminate")) pool.terminate();
    if (how == std::string("kill")) {
      for (const int pid : pids_in(folder)) {
        std::ifstream file(folder + '/' + std::to_string(pid));
        int depth = 0;
        if (file >> depth && depth == 2) ::kill(pid, SIGKILL);
      }
    }
    EXPECT_THROW(task.get(), std::exception) << how;
    for (const int pid : pids_in(folder)) eventually([&] { return has_ended(pid); });
  }
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
