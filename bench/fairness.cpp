// SPDX-License-Identifier: MIT
//
// Pools side by side in one program: none starves another.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include <brood/brood.hpp>

#include "support/arithmetic.hpp"
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

void nothing() {}

// Tasks done, by those who did them.
struct Counters {
  std::atomic<std::uint32_t> done[2]{};
};
Counters* counters = nullptr;

// What all are told before they are made.
struct Setting {
  std::chrono::milliseconds window{};
  std::uint64_t steps = 0;  // of a millisecond
};
Setting* setting = nullptr;

void count_one(int which, std::uint64_t steps) {
  if (work(steps) != 0) ++counters->done[which];
}

// How much that did less, as a share of the other.
double lesser_of(std::chrono::milliseconds window) {
  const std::uint32_t before[] = {counters->done[0], counters->done[1]};
  std::this_thread::sleep_for(window);
  const double one = counters->done[0] - before[0];
  const double other = counters->done[1] - before[1];
  return std::min(one, other) / std::max({one, other, 1.0});
}

// Of two pools, each with work for all CPUs.
double lesser_pool() {
  brood::Pool pools[2];
  // More than they can do.
  const auto tasks = 4 * setting->window / 1ms * static_cast<long>(brood::cpu_count());
  for (const int which : {0, 1}) {
    for (long i = 0; i < tasks; ++i) {
      pools[which].apply_async(count_one, which, setting->steps);
    }
  }
  return lesser_of(setting->window);
}

// Of as many processes in two groups, which know nothing of pools: what the kernel
// makes of it.
double lesser_group() {
  std::deque<Child> processes;
  for (std::size_t i = 0; i < brood::cpu_count(); ++i) {
    for (const int which : {0, 1}) {
      processes.emplace_back([which] {
        for (;;) count_one(which, setting->steps);
      });
    }
  }
  return lesser_of(setting->window);
}

void two_loaded_pools(const Options& options) {
  counters = &shared<Counters>();
  setting = &shared<Setting>();
  setting->window = options.smoke ? 20ms : 1s;
  setting->steps = static_cast<std::uint64_t>(1000 * steps_a_microsecond());
  SmallProcess bare(lesser_group);
  brood::init();
  Contest contest;
  const std::string ours = "two pools of brood";
  contest.add(ours, lesser_pool);
  contest.add("two groups of bare processes", [&] { return bare.measure(); });
  contest.run(options.rounds);
  Report report("tasks of 1 ms for all CPUs, twice: what the lesser did, as a share of the other");
  report.measured(contest, "x");
  report.goal(ours, "x", contest.of(ours), at_least(0.9));
}

enum Order : std::uint32_t { resting, flood, rest, end };

void give(std::atomic<std::uint32_t>& word, Order order) {
  word.store(order);
  futex_wake_one(word);
}

// Keeps a pool of two full of tasks while the word says so.
void obey(std::atomic<std::uint32_t>& order) {
  brood::Pool pool{2};
  for (;;) {
    if (order.load() == rest) give(order, resting);
    while (order.load() == resting) futex_sleep(order, resting);
    if (order.load() == end) return;
    std::vector<brood::AsyncResult<void>> results;
    for (int i = 0; i < 10'000; ++i) results.push_back(pool.apply_async(nothing));
    for (auto& result : results) result.get();
  }
}

double calls(brood::Pool& pool, int count) {
  return 1e6 * seconds([&] {
           for (int i = 0; i < count; ++i) pool.apply(nothing);
         }) /
         count;
}

void a_small_pool_beside_a_flood(const Options& options) {
  auto& there = shared<std::atomic<std::uint32_t>>();
  auto& here = shared<std::atomic<std::uint32_t>>();
  const Child stranger([&] {
    brood::init();
    obey(there);
  });
  brood::init();
  brood::Pool small{1};
  std::jthread own([&] { obey(here); });
  const int count = options.size(2'000, 20);
  const auto beside = [&](std::atomic<std::uint32_t>& word) {
    give(word, flood);
    std::this_thread::sleep_for(10ms);  // it's under way
    const double taken = calls(small, count);
    give(word, rest);
    while (word.load() == rest) futex_sleep(word, rest);
    return taken;
  };
  Contest contest;
  contest.add("alone", [&] { return calls(small, count); });
  contest.add("beside a flooded pool", [&] { return beside(here); });
  contest.add("beside another program's flooded pool", [&] { return beside(there); });
  contest.run(options.rounds);
  give(here, end);
  Report report("round trip of apply in a pool of one, while a pool of two is flooded");
  report.measured(contest, "us");
  report.ratio(contest, "beside a flooded pool", "beside another program's flooded pool",
               at_most(1.1));
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  in_own_process([&] { two_loaded_pools(options); });
  in_own_process([&] { a_small_pool_beside_a_flood(options); });
}
