// SPDX-License-Identifier: MIT
//
// From one worker to a thousand that sleep: how long until they are there, and what
// memory each takes.
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <limits>
#include <string>
#include <vector>

#include <brood/brood.hpp>

#include "support/contest.hpp"
#include "support/in_own_process.hpp"
#include "support/options.hpp"
#include "support/processes.hpp"
#include "support/report.hpp"
#include "support/small_process.hpp"
#include "support/stopwatch.hpp"

namespace {

using namespace bench;

constexpr double kibibyte = 1 << 10;

// Where those that were born write down that they are there.
struct Board {
  std::uint32_t wanted = 0;
  std::atomic<std::uint32_t> taken{0};
  std::atomic<std::uint32_t> there{0};
  std::array<pid_t, 1000> pids{};
};
Board* board = nullptr;

void arrive() {
  board->pids[board->taken.fetch_add(1)] = ::getpid();
  if (board->there.fetch_add(1) + 1 == board->wanted) futex_wake_one(board->there);
}

void expect(std::uint32_t count) {
  board->wanted = count;
  board->taken.store(0);
  board->there.store(0);
}

void await_all() {
  for (std::uint32_t seen = 0; (seen = board->there.load()) != board->wanted;) {
    futex_sleep(board->there, seen);
  }
}

double milliseconds_since(std::int64_t then) { return static_cast<double>(now_ns() - then) / 1e6; }

brood::PoolOptions of(std::uint32_t workers) {
  return {.processes = workers, .initializer = arrive};
}

// Until the pool is made; `there`: until all its workers have run something.
double brood_start(std::uint32_t workers, double& there) {
  expect(workers);
  const std::int64_t begin = now_ns();
  brood::Pool pool{of(workers)};
  const double made = milliseconds_since(begin);
  await_all();
  there = milliseconds_since(begin);
  return made;
}

// Until all forks of a small process have; no number where it may not have so many.
double bare_start() {
  std::vector<pid_t> forks;
  const std::int64_t begin = now_ns();
  while (forks.size() < board->wanted) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      arrive();
      for (;;) ::pause();
    }
    if (pid < 0) break;
    forks.push_back(pid);
  }
  const bool refused = forks.size() < board->wanted;
  if (!refused) await_all();
  const double there =
      refused ? std::numeric_limits<double>::quiet_NaN() : milliseconds_since(begin);
  for (const pid_t pid : forks) ::kill(pid, SIGKILL);
  for (const pid_t pid : forks) ::waitpid(pid, nullptr, 0);
  return there;
}

// Each worker has some descriptors in the program.
void allow_many_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void memory_of(std::uint32_t workers, Report& report) {
  expect(workers);
  brood::Pool pool{of(workers)};
  await_all();
  std::vector<double> each;
  for (std::uint32_t i = 0; i < workers; ++i) {
    each.push_back(static_cast<double>(proportional(board->pids[i])) / kibibyte);
  }
  report.goal("memory of a worker (PSS)", "KiB", spread_of(std::move(each)), at_most(300));
}

void start(const Options& options, std::uint32_t workers) {
  Report report(std::to_string(workers) + (workers == 1 ? " worker" : " workers"));
  board = &shared<Board>();
  SmallProcess small(bare_start);
  allow_many_descriptors();
  brood::init();
  try {
    brood::Pool{of(workers)};
  } catch (const brood::SystemError& refusal) {
    report.absent("a pool of so many workers", refusal.what());
    return;
  }
  double there = 0;
  Contest contest;
  contest.add("brood, the pool is made", [&] { return brood_start(workers, there); });
  contest.add("brood, all are there", [&] { return there; });
  contest.add("bare forks, all are there", [&] {
    expect(workers);
    return small.measure();
  });
  contest.run(options.smoke || workers > 10 ? options.rounds : 5 * options.rounds);
  report.measured(contest, "ms");
  report.ratio(contest, "brood, all are there", "bare forks, all are there", at_most(2));
  memory_of(workers, report);
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  for (const std::uint32_t workers : {1U, 10U, 100U, 1000U}) {
    if (options.smoke && workers > 10) break;
    in_own_process([&] { start(options, workers); });
  }
}
