// SPDX-License-Identifier: MIT
//
// storm [--tasks N] [--kills N] [--workers N] [--seed N]
//       [--context forkserver|fork|spawn|preload]
//
// Runs that many tasks of all kinds while workers and nurseries die by SIGKILL
// that often, at any moment and, in a build with BROOD_KILL_POINTS, at every kill
// point in turn. It fails unless
//  - every task ends once: with its value, with WorkerCrashed, or with what it
//    asked for (a deadline, a withdrawal, its own exception);
//  - no task runs twice, and one that gave a value ran once;
//  - no more tasks crash than were killed;
//  - the pool is whole afterwards, and nothing is left of it in the end.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <brood/brood.hpp>

#include "births.hpp"
#include "board.hpp"
#include "census.hpp"
#include "clients.hpp"
#include "killer.hpp"
#include "run.hpp"
#include "tasks.hpp"
#include "watchdog.hpp"

namespace brood::storm {
namespace {

// So many tasks have numbers: the killer may need more of them than were asked
// for to get to every point.
constexpr std::uint64_t least_numbers = 20'000'000;

constexpr std::uint64_t client_threads = 3;

void preload() {}

[[noreturn]] void explain() {
  std::cerr << "usage: storm [--tasks N] [--kills N] [--workers N] [--seed N]\n"
               "             [--context forkserver|fork|spawn|preload]\n";
  std::exit(2);
}

void set_context(Settings& settings, std::string_view name) {
  if (name == "fork")
    settings.context = Context::fork;
  else if (name == "spawn")
    settings.context = Context::spawn;
  else if (name == "preload")
    settings.preload = true;
  else if (name != "forkserver")
    explain();
}

Settings settings_from(int argc, char** argv) {
  Settings settings;
  settings.seed = std::random_device{}();
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (i + 1 == argc) explain();
    if (name == "--context") {
      set_context(settings, argv[i + 1]);
      continue;
    }
    const std::uint64_t number = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--tasks")
      settings.tasks = number;
    else if (name == "--kills")
      settings.kills = number;
    else if (name == "--workers")
      settings.workers = number;
    else if (name == "--seed")
      settings.seed = number;
    else
      explain();
  }
  if (settings.tasks == 0 || settings.workers == 0) explain();
  return settings;
}

PoolOptions pool_options(const Settings& settings) {
  PoolOptions options{.processes = settings.workers,
                      .maxtasksperchild = 1500,
                      .context = settings.context,
                      .name = "storm"};
  if (settings.preload) options.preload = preload;
  return options;
}

// All workers at once, each with a task that waits for the others.
void require_whole(Pool& pool, std::size_t workers) {
  board().arrived = 0;
  std::vector<AsyncResult<std::uint64_t>> results;
  for (std::size_t i = 0; i < workers; ++i) results.push_back(pool.apply_async(meet, workers));
  std::set<std::uint64_t> pids;
  try {
    for (const auto& result : results) pids.insert(result.get());
  } catch (const std::exception& error) {
    fail(std::string("the pool does not work after the storm: ") + error.what());
  }
  if (pids.size() != workers) fail("two tasks that waited for each other had one worker");
  while (pool.stats().workers != workers) std::this_thread::yield();
  const std::uint64_t task = run().next_task++;
  if (pool.apply(plain, task) != answer_to(task)) fail("the pool answers wrongly after the storm");
}

void storm_tasks() {
  Run& now = run();
  Pool pool(pool_options(now.settings));
  now.pool = &pool;
  {
    const Watchdog watchdog;
    {
      std::vector<std::jthread> threads;
      for (std::uint64_t i = 0; i < client_threads; ++i) threads.emplace_back(be_client);
      threads.emplace_back(be_killer);
    }
    ++now.stages;
    require_whole(pool, now.settings.workers);
    ++now.stages;
    pool.close();
    pool.join();
    ++now.stages;
  }
  now.pool = nullptr;
}

void check_the_sums() {
  const Run& now = run();
  require(now.tally.sum() == now.settled, "the outcomes do not add up");
  require(now.heard == now.asked, "a callback was not called once");
  require(now.tally.crashed <= now.kills(), "more tasks crashed than were killed");
  for (std::uint64_t task = 0; task < now.next_task; ++task) {
    if (runs_of(task) > 1) fail("task " + std::to_string(task) + " ran twice");
  }
}

void report(std::chrono::steady_clock::duration took) {
  const Run& now = run();
  const auto& tally = now.tally;
  std::cout << now.settled << " tasks: " << tally.values << " values, " << tally.thrown
            << " thrown, " << tally.crashed << " crashed, " << tally.timed_out << " timed out, "
            << tally.cancelled << " cancelled\n"
            << now.kills() << " kills, " << board().plan.kills << " of them at kill points\n"
            << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms\n";
}

}  // namespace

int main(int argc, char** argv) {
  run().settings = settings_from(argc, argv);
  open_board(std::max(10 * run().settings.tasks, least_numbers));
  brood::init(argc, argv);
  std::cout << command_line(run().settings) << std::endl;
  const auto since = std::chrono::steady_clock::now();

  // It has its name a moment after its birth.
  while (!take_census().contains("child brood-nursery")) std::this_thread::yield();
  const Census before = take_census();
  storm_tasks();
  storm_births();
  const std::string left = difference(before, take_census());
  if (!left.empty()) fail("something is left behind:\n" + left);
  check_the_sums();
  report(std::chrono::steady_clock::now() - since);
  return 0;
}

}  // namespace brood::storm

int main(int argc, char** argv) { return brood::storm::main(argc, argv); }
