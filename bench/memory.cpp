// SPDX-License-Identifier: MIT
//
// What queued tasks and endless inputs cost in memory.
#include <algorithm>
#include <ranges>
#include <string>
#include <vector>

#include <brood/brood.hpp>

#include "support/in_own_process.hpp"
#include "support/options.hpp"
#include "support/processes.hpp"
#include "support/report.hpp"

namespace {

using namespace bench;

constexpr double mebibyte = 1 << 20;

int same(int x) { return x; }

Spread only(double number) { return {number, number, number}; }

double growth(const Resident& before) {
  return static_cast<double>(resident().all) - static_cast<double>(before.all);
}

// Tasks that wait behind one that doesn't end, each with its handle.
void queued_tasks(const Options& options) {
  auto& open = shared<std::atomic<std::uint32_t>>();
  brood::init();
  brood::Pool pool{1};
  pool.apply(same, 1);
  const std::size_t count = options.size<std::size_t>(10'000'000, 1'000);
  std::vector<brood::AsyncResult<int>> results(count);
  auto gate = pool.apply_async(brood::values([word = &open] { futex_sleep(*word, 0); }));
  const Resident before = resident();
  for (std::size_t i = 0; i < count; ++i) results[i] = pool.apply_async(same, static_cast<int>(i));
  const double each = growth(before) / static_cast<double>(count);
  open.store(1);
  futex_wake_one(open);
  gate.get();
  for (std::size_t i = 0; i < count; ++i) {
    if (results[i].get() != static_cast<int>(i)) throw std::runtime_error("a wrong result");
  }
  Report report("memory of " + std::to_string(count) + " queued tasks");
  report.goal("memory a task, without its handle", "bytes", only(std::max(each, 1e-9)),
              at_most(100));
}

double all_resident() {
  std::size_t sum = resident().all;
  for (const pid_t child : children()) sum += resident(child).all;
  return static_cast<double>(sum) / mebibyte;
}

// The program and its workers together, early and late in a long input.
void endless_input(const Options& options) {
  brood::init();
  brood::Pool pool{2};
  const int count = options.size(10'000'000, 2'000);
  int seen = 0;
  double early = 0;
  double highest = 0;
  for (const int x : pool.imap(same, std::views::iota(0))) {
    if (x != seen) throw std::runtime_error("a wrong result");
    if (++seen == count / 10) early = all_resident();
    if (seen > count / 10 && seen % (count / 20) == 0) highest = std::max(highest, all_resident());
    if (seen == count) break;
  }
  Report report("memory over an endless imap, " + std::to_string(count) + " items");
  report.measured("program and workers after a tenth", "MiB", only(early));
  report.measured("the most later", "MiB", only(highest));
  report.goal("the most later / after a tenth", "x", only(highest / early), at_most(1.05));
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  in_own_process([&] { queued_tasks(options); });
  in_own_process([&] { endless_input(options); });
}
