// SPDX-License-Identifier: MIT
//
// Many empty tasks on two workers, each with a result that is fetched.
#include <string>
#include <thread>
#include <vector>

#include <brood/brood.hpp>

#include "support/contest.hpp"
#include "support/options.hpp"
#include "support/python.hpp"
#include "support/report.hpp"
#include "support/stopwatch.hpp"

namespace {

using namespace bench;

void nothing() {}

void submit_and_get(brood::Pool& pool, int tasks) {
  std::vector<brood::AsyncResult<void>> results;
  results.reserve(static_cast<std::size_t>(tasks));
  for (int i = 0; i < tasks; ++i) results.push_back(pool.apply_async(nothing));
  for (auto& result : results) result.get();
}

// Tasks a second, in all.
double rate(brood::Pool& pool, int threads, int tasks) {
  const double taken = seconds([&] {
    std::vector<std::jthread> submitters;
    for (int i = 1; i < threads; ++i) {
      submitters.emplace_back([&] { submit_and_get(pool, tasks / threads); });
    }
    submit_and_get(pool, tasks / threads);
  });
  return tasks / taken;
}

std::string from(int threads) {
  return "brood, " + std::to_string(threads) + (threads == 1 ? " thread" : " threads");
}

}  // namespace

int main(int argc, char** argv) {
  brood::init(argc, argv);
  const Options options = read_options(argc, argv);
  Report report("bulk apply_async, empty tasks, two workers");
  brood::Pool pool{2};
  const int tasks = options.size(400'000, 400);

  Contest contest;
  for (const int threads : {1, 2, 4, 8}) {
    contest.add(from(threads), [&, threads] { return rate(pool, threads, tasks); });
  }
  if (has_python()) {
    const std::string order = "apply_async " + std::to_string(options.size(20'000, 50));
    contest.add("CPython", [=] { return ask_python(order); });
  } else {
    report.absent("CPython", "no python3 here");
  }
  report.absent("Node's workerpool", "Debian has no package of it");
  contest.run(options.rounds);

  report.measured(contest, "tasks/s");
  for (const int threads : {1, 2, 4, 8}) {
    report.goal(from(threads), "tasks/s", contest.of(from(threads)), at_least(5e6));
    report.ratio(contest, from(threads), "CPython", at_least(100));
  }
}
