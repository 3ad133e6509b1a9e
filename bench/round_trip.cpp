// SPDX-License-Identifier: MIT
//
// One empty task there and back, against what the kernel and the caches allow.
#include <unistd.h>

#include <string>

#include <brood/brood.hpp>

#include "support/contest.hpp"
#include "support/in_own_process.hpp"
#include "support/options.hpp"
#include "support/ping_pong.hpp"
#include "support/processes.hpp"
#include "support/python.hpp"
#include "support/report.hpp"
#include "support/stopwatch.hpp"

namespace {

using namespace bench;

void nothing() {}

double calls(brood::Pool& pool, int count) {
  return 1e6 * seconds([&] {
           for (int i = 0; i < count; ++i) pool.apply(nothing);
         }) /
         count;
}

pid_t worker_of(brood::Pool& pool) {
  return pool.apply([] { return ::getpid(); });
}

// brood against one kind of ping-pong. The pool is made while one CPU is
// allowed, so that nobody looks instead of sleeping, unless it's to be hot.
void against(const Options& options, const std::string& claim, PingPong::Waiting waiting,
             std::size_t home, std::size_t away, Goal goal) {
  const std::string floor =
      waiting == PingPong::Waiting::asleep ? "bare futex" : "bare shared-memory spin";
  if (waiting == PingPong::Waiting::asleep) run_on({home});
  PingPong bare(waiting);
  brood::init();
  brood::Pool pool{1};
  run_on({away}, bare.partner());
  run_on({away}, worker_of(pool));
  run_on({home});

  const int trips = options.size(500, 20);
  Contest contest;
  contest.add("brood apply", [&] {
    // While it was the other's turn the worker has fallen asleep; hot are those that follow
    // each other.
    if (waiting == PingPong::Waiting::spinning) calls(pool, trips / 10);
    return calls(pool, trips);
  });
  contest.add(floor, [&] { return 1e6 * bare.round(trips); });
  contest.run(options.smoke ? options.rounds : 5 * options.rounds);
  Report report(claim);
  report.measured(contest, "us");
  report.ratio(contest, "brood apply", floor, goal);
}

void against_python(const Options& options) {
  Report report("round trip, an empty task, as it comes");
  brood::init();
  brood::Pool pool{1};
  Contest contest;
  contest.add("brood apply", [&] { return calls(pool, options.size(5'000, 20)); });
  if (has_python()) {
    const std::string order = "apply " + std::to_string(options.size(5'000, 20));
    contest.add("CPython apply", [=] { return 1e6 * ask_python(order); });
  } else {
    report.absent("CPython", "no python3 here");
  }
  contest.run(options.rounds);
  report.measured(contest, "us");
  report.ratio(contest, "brood apply", "CPython apply", at_most(1.0 / 20));
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  const auto cpus = allowed_cpus();
  const std::size_t home = cpus.front();
  const std::size_t away = cpus.back();
  using enum PingPong::Waiting;
  in_own_process([&] {
    against(options, "round trip, an empty task, both asleep on one CPU", asleep, home, home,
            at_most(1.1));
  });
  if (home != away) {
    in_own_process([&] {
      against(options, "round trip, an empty task, both asleep on two CPUs", asleep, home, away,
              at_most(1.1));
    });
    in_own_process([&] {
      against(options, "round trip, an empty task, hot on two CPUs", spinning, home, away,
              at_most(4));
    });
  } else {
    Report("round trip, an empty task, on two CPUs").absent("second CPU", "only one is allowed");
  }
  in_own_process([&] { against_python(options); });
}
