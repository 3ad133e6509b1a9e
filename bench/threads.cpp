// SPDX-License-Identifier: MIT
//
// Context::thread: empty tasks in bulk, and tasks that submit tasks and wait for them.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <vector>

#ifdef BROOD_HAS_TBB
#include <tbb/task_group.h>
#endif

#include <brood/brood.hpp>

#include "support/contest.hpp"
#include "support/options.hpp"
#include "support/report.hpp"
#include "support/stopwatch.hpp"

namespace {

using namespace bench;
using namespace std::chrono_literals;

void nothing() {}

void with_brood(brood::Pool& pool, int tasks) {
  std::vector<brood::AsyncResult<void>> results;
  results.reserve(static_cast<std::size_t>(tasks));
  for (int i = 0; i < tasks; ++i) results.push_back(pool.apply_async(nothing));
  for (auto& result : results) result.get();
}

#ifdef BROOD_HAS_TBB
void with_tbb(int tasks) {
  tbb::task_group group;
  for (int i = 0; i < tasks; ++i) group.run(nothing);
  group.wait();
}

int leaves_with_tbb(int depth) {
  if (depth == 0) return 1;
  int one = 0;
  int other = 0;
  tbb::task_group group;
  group.run([&] { one = leaves_with_tbb(depth - 1); });
  group.run([&] { other = leaves_with_tbb(depth - 1); });
  group.wait();
  return one + other;
}
#endif

// A thread each; those before are waited for, or there would be too many.
void with_async(int tasks) {
  constexpr int at_once = 64;
  for (int done = 0; done < tasks; done += at_once) {
    std::vector<std::future<void>> running;
    for (int i = 0; i < at_once; ++i) {
      running.push_back(std::async(std::launch::async, nothing));
    }
  }
}

int leaves_with_async(int depth) {
  if (depth == 0) return 1;
  auto one = std::async(std::launch::async, leaves_with_async, depth - 1);
  auto other = std::async(std::launch::async, leaves_with_async, depth - 1);
  return one.get() + other.get();
}

// The one that the tasks below submit to.
brood::Pool* own_pool = nullptr;

int leaves_with_brood(int depth) {
  if (depth == 0) return 1;
  const auto one = own_pool->apply_async(leaves_with_brood, depth - 1);
  const auto other = own_pool->apply_async(leaves_with_brood, depth - 1);
  return one.get() + other.get();
}

int tree_on(brood::Pool& pool, int depth) {
  own_pool = &pool;
  return pool.apply(leaves_with_brood, depth);
}

// Whether a pool whose threads all wait for tasks of its own runs those. In a process
// of its own, for it may stand still. Requires: one thread.
bool waiting_threads_help(std::chrono::milliseconds patience) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    brood::Pool pool{{.processes = 1, .context = brood::Context::thread}};
    ::_exit(tree_on(pool, 3) == 8 ? 0 : 1);
  }
  for (const auto end = std::chrono::steady_clock::now() + patience;
       std::chrono::steady_clock::now() < end; std::this_thread::sleep_for(5ms)) {
    int status = 0;
    if (::waitpid(pid, &status, WNOHANG) == pid) return status == 0;
  }
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  return false;
}

void name_the_absent(Report& report) {
#ifndef BROOD_HAS_TBB
  report.absent("oneTBB", "it was not there when this was built");
#endif
  report.absent("Taskflow and BS::thread_pool", "Debian 12 has no packages of them");
}

template <typename Work>
double rate(int tasks, Work work) {
  return tasks / seconds(work);
}

void in_bulk(const Options& options, brood::Pool& pool) {
  Report report("Context::thread, empty tasks in bulk");
  const int tasks = options.size(200'000, 200);
  const int few = options.size(6'400, 64);
  Contest contest;
  contest.add("brood on threads", [&] { return rate(tasks, [&] { with_brood(pool, tasks); }); });
#ifdef BROOD_HAS_TBB
  contest.add("oneTBB task_group", [&] { return rate(tasks, [&] { with_tbb(tasks); }); });
#endif
  contest.add("std::async", [&] { return rate(few, [&] { with_async(few); }); });
  contest.run(options.rounds);
  report.measured(contest, "tasks/s");
  report.ratio(contest, "brood on threads", "oneTBB task_group", at_least(1));
  report.ratio(contest, "brood on threads", "std::async", at_least(1));
  name_the_absent(report);
}

// So many, one after the other: a few would be over before sleeping threads are awake, and
// before those of the one before have stopped looking for more.
template <typename Tree>
void add_trees(Contest& contest, const char* name, int trees, int depth, Tree tree) {
  contest.add(name, [=] {
    const int tasks = trees * ((2 << depth) - 1);
    return rate(tasks, [=] {
      for (int i = 0; i < trees; ++i) {
        if (tree() != 1 << depth) throw std::runtime_error("a tree with other leaves");
      }
    });
  });
}

void recursively(const Options& options, brood::Pool& pool, bool helps) {
  Report report("Context::thread, tasks that submit two and wait for them, 8 deep");
  const int depth = options.size(8, 4);
  const int trees = options.size(400, 20);
  constexpr int few = 20;  // where each task is a thread
  // A thread for each that waits, and for each CPU.
  const auto waiting = std::size_t{1} << depth;
  brood::Pool roomy{{.processes = waiting + brood::cpu_count(), .context = brood::Context::thread}};
  Contest contest;
  if (helps) {
    add_trees(contest, "brood on threads", trees, depth,
              [&pool, depth] { return tree_on(pool, depth); });
  } else {
    report.absent("brood on as many threads as CPUs",
                  "there a task that waits for tasks of its own pool keeps its thread from them, "
                  "and once all wait, none goes on");
  }
  add_trees(contest, "brood, a thread for each task that waits", trees, depth,
            [&roomy, depth] { return tree_on(roomy, depth); });
#ifdef BROOD_HAS_TBB
  add_trees(contest, "oneTBB task_group", trees, depth, [depth] { return leaves_with_tbb(depth); });
#endif
  add_trees(contest, "std::async", few, depth, [depth] { return leaves_with_async(depth); });
  contest.run(options.rounds);
  report.measured(contest, "tasks/s");
  const std::string ours = helps ? "brood on threads" : "brood, a thread for each task that waits";
  report.ratio(contest, ours, "oneTBB task_group", at_least(1));
  report.ratio(contest, ours, "std::async", at_least(1));
  name_the_absent(report);
}

// Large ones, of which the beginning and the end are a small part.
void deeply(const Options& options, brood::Pool& pool) {
#ifdef BROOD_HAS_TBB
  Report report("Context::thread, tasks that submit two and wait for them, 14 deep");
  const int depth = options.size(14, 4);
  Contest contest;
  const int trees = options.size(10, 1);
  add_trees(contest, "brood on threads", trees, depth,
            [&pool, depth] { return tree_on(pool, depth); });
  add_trees(contest, "oneTBB task_group", trees, depth, [depth] { return leaves_with_tbb(depth); });
  contest.run(options.rounds);
  report.measured(contest, "tasks/s");
  report.ratio(contest, "brood on threads", "oneTBB task_group", at_least(1));
  report.absent("std::async", "it would need a thread for each of 16,383 tasks that wait");
#else
  static_cast<void>(options);
  static_cast<void>(pool);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  const bool helps = waiting_threads_help(options.smoke ? 500ms : 3s);
  brood::init(argc, argv);
  brood::Pool pool{{.context = brood::Context::thread}};
  in_bulk(options, pool);
  recursively(options, pool, helps);
  if (helps) deeply(options, pool);
}
