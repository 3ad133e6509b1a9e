// SPDX-License-Identifier: MIT
//
// The CPU time that the program itself, all its threads, spends on a task that others
// run.
#include <sys/resource.h>

#include <string>
#include <vector>

#include <brood/brood.hpp>

#include "support/arithmetic.hpp"
#include "support/contest.hpp"
#include "support/options.hpp"
#include "support/python.hpp"
#include "support/report.hpp"

namespace {

using namespace bench;

void nothing() {}

double microseconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
}

double own_microseconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return microseconds_of(usage.ru_utime) + microseconds_of(usage.ru_stime);
}

// Microseconds a task.
template <typename Work>
double cost(int tasks, Work work) {
  const double before = own_microseconds();
  work();
  return (own_microseconds() - before) / tasks;
}

double of_calls(brood::Pool& pool, int tasks) {
  return cost(tasks, [&] {
    for (int i = 0; i < tasks; ++i) pool.apply(nothing);
  });
}

template <typename Function, typename... Arguments>
double in_bulk(brood::Pool& pool, int tasks, Function function, Arguments... arguments) {
  return cost(tasks, [&] {
    std::vector<decltype(pool.apply_async(function, arguments...))> results;
    results.reserve(static_cast<std::size_t>(tasks));
    for (int i = 0; i < tasks; ++i) results.push_back(pool.apply_async(function, arguments...));
    for (auto& result : results) result.get();
  });
}

double of_a_map(brood::Pool& pool, const std::vector<std::uint64_t>& steps) {
  return cost(static_cast<int>(steps.size()), [&] { pool.map(work, steps); });
}

}  // namespace

int main(int argc, char** argv) {
  brood::init(argc, argv);
  const Options options = read_options(argc, argv);
  Report report("CPU time of the program itself, a task");
  brood::Pool single{1};
  brood::Pool pool{2};
  const auto of_100_us = static_cast<std::uint64_t>(100 * steps_a_microsecond());
  const int many = options.size(200'000, 200);
  const int some = options.size(20'000, 100);
  const int coarse = options.size(4'000, 20);
  const std::vector<std::uint64_t> steps(static_cast<std::size_t>(coarse), of_100_us);
  const std::vector<std::uint64_t> none(static_cast<std::size_t>(many), 0);

  Contest contest;
  contest.add("apply, empty", [&] { return of_calls(single, some); });
  contest.add("apply_async, empty, in bulk", [&] { return in_bulk(pool, many, nothing); });
  contest.add("map, empty", [&] { return of_a_map(pool, none); });
  contest.add("apply_async, 100 us each, in bulk",
              [&] { return in_bulk(pool, coarse, work, of_100_us); });
  contest.add("map, 100 us each", [&] { return of_a_map(pool, steps); });
  if (has_python()) {
    const std::string calls = std::to_string(options.size(3'000, 10));
    for (const std::string what : {"apply", "apply_async"}) {
      contest.add("CPython " + what + ", empty",
                  [=] { return 1e6 * ask_python("own_" + what + " " + calls); });
    }
  } else {
    report.absent("CPython", "no python3 here");
  }
  contest.run(options.smoke ? 1 : options.rounds);
  report.measured(contest, "us");
}
