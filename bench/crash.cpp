// SPDX-License-Identifier: MIT
//
// How soon a dead worker's caller knows, and how soon another works.
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
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
using namespace std::chrono_literals;

// When the last task did what it does; written by workers.
std::atomic<std::int64_t>* moment = nullptr;

void die() {
  moment->store(now_ns());
  ::raise(SIGKILL);
}

void arrive() { moment->store(now_ns()); }

void never_end() {
  moment->store(now_ns());
  for (;;) ::pause();
}

double milliseconds_since(std::int64_t then) { return static_cast<double>(now_ns() - then) / 1e6; }

// From the worker's death to its caller's handler.
double until_known(brood::Pool& pool) {
  try {
    pool.apply(die);
  } catch (const brood::WorkerCrashed&) {
    const double late = milliseconds_since(*moment);
    pool.apply(arrive);  // by the replacement, so that the next round has one
    return late;
  }
  throw std::runtime_error("no crash was reported");
}

// From the worker's death to the first line of a task in its replacement.
double until_replaced(brood::Pool& pool) {
  try {
    pool.apply(die);
  } catch (const brood::WorkerCrashed&) {
  }
  const std::int64_t death = *moment;
  pool.apply(arrive);
  return static_cast<double>(*moment - death) / 1e6;
}

double deadline_missed_by(brood::Pool& pool, std::chrono::milliseconds timeout) {
  try {
    pool.apply({.timeout = timeout}, never_end);
  } catch (const brood::TaskTimeout&) {
    return milliseconds_since(*moment) - static_cast<double>(timeout.count());
  }
  throw std::runtime_error("no deadline was met");
}

// From a child's death to its pidfd's becoming readable.
double bare_death() {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::pause();
    ::_exit(0);
  }
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  const std::int64_t death = now_ns();
  ::kill(pid, SIGKILL);
  pollfd ready{fd, POLLIN, 0};
  ::poll(&ready, 1, -1);
  const double taken = milliseconds_since(death);
  ::waitpid(pid, nullptr, 0);
  ::close(fd);
  return taken;
}

void beside(const Options& options, std::size_t heap, const std::string& size) {
  moment = &shared<std::atomic<std::int64_t>>();
  SmallProcess small(bare_death);
  brood::init();
  const std::vector<char> held(heap, 1);
  brood::Pool pool{1};
  Contest contest;
  contest.add("crash to its caller's handler", [&] { return until_known(pool); });
  contest.add("SIGKILL to pidfd, bare", [&] { return small.measure(); });
  contest.add("crash to a task in the replacement", [&] { return until_replaced(pool); });
  contest.add("a deadline of 200 ms, late by", [&] { return deadline_missed_by(pool, 200ms); });
  contest.run(options.smoke ? options.rounds : 3 * options.rounds);

  Report report("a worker dies, its program being " + size);
  report.measured(contest, "ms");
  const auto goal = [&](const char* what, double limit) {
    report.goal(what, "ms", contest.of(what), at_most(limit));
  };
  goal("crash to its caller's handler", 0.5);
  goal("crash to a task in the replacement", 1);
  goal("a deadline of 200 ms, late by", 1);
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  in_own_process([&] { beside(options, std::size_t{10} << 20, "10 MiB large"); });
  if (options.smoke) return 0;
  in_own_process([&] { beside(options, std::size_t{2} << 30, "2 GiB large"); });
}
