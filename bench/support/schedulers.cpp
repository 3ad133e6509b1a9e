// SPDX-License-Identifier: MIT
#include "support/schedulers.hpp"

#include <algorithm>
#include <deque>
#include <future>

#ifdef BROOD_HAS_TBB
#include <tbb/parallel_for.h>
#endif

#include "support/arithmetic.hpp"
#include "support/contest.hpp"
#include "support/stopwatch.hpp"

namespace bench {
namespace {

const char* const ours = "brood";
const char* const own_threads = "brood on threads";

// A thread each, but not more at once than a program bears.
void with_async(const Tasks& tasks) {
  constexpr std::size_t most = 64;
  std::deque<std::future<std::uint64_t>> running;
  for (const std::uint64_t steps : tasks) {
    if (running.size() == most) {
      running.front().get();
      running.pop_front();
    }
    running.push_back(std::async(std::launch::async, work, steps));
  }
  for (auto& one : running) one.get();
}

#ifdef BROOD_HAS_TBB
void with_tbb(const Tasks& tasks) {
  std::vector<std::uint64_t> results(tasks.size());
  tbb::parallel_for(std::size_t{0}, tasks.size(),
                    [&](std::size_t i) { results[i] = work(tasks[i]); });
  keep(results);
}
#endif

void serially(const Tasks& tasks) {
  std::uint64_t sum = 0;
  for (const std::uint64_t steps : tasks) sum += work(steps);
  keep(sum);
}

}  // namespace

Schedulers::Schedulers() : threads_({.context = brood::Context::thread}) {
  all_.push_back({ours, [this](const Tasks& tasks) { processes_.map(work, tasks); }});
  all_.push_back({own_threads, [this](const Tasks& tasks) { threads_.map(work, tasks); }});
#ifdef BROOD_HAS_TBB
  all_.push_back({"oneTBB", with_tbb});
#endif
  all_.push_back({"std::async", with_async});
}

void Schedulers::compare(Report& report, const Tasks& tasks, int rounds, const Goal* ideal,
                         Goal rivals) {
  Contest contest;
  double serial = 1;
  const auto cpus = static_cast<double>(brood::cpu_count());
  contest.add("serial", [&] { return serial = seconds([&] { serially(tasks); }); });
  for (const One& one : all_) {
    contest.add(one.name, [&] { return serial / cpus / seconds([&] { one.run(tasks); }); });
  }
  contest.run(rounds);

  for (const One& one : all_) report.measured(one.name, "of the ideal", contest.of(one.name));
  if (ideal) report.goal(ours, "of the ideal", contest.of(ours), *ideal);
  std::vector<double> ratios;
  const auto& entries = contest.entries();
  for (std::size_t round = 0; round < entries[0].numbers.size(); ++round) {
    double best = 0;
    for (const auto& entry : entries) {
      if (entry.name == "serial" || entry.name.starts_with(ours)) continue;
      best = std::max(best, entry.numbers[round]);
    }
    ratios.push_back(contest.entries()[1].numbers[round] / best);
  }
  report.goal("brood / the best of the others", "x", spread_of(std::move(ratios)), rivals);
#ifndef BROOD_HAS_TBB
  report.absent("oneTBB", "it was not there when this was built");
#endif
  report.absent("Taskflow and BS::thread_pool", "Debian 12 has no packages of them");
}

}  // namespace bench
