// SPDX-License-Identifier: MIT
#include "births.hpp"

#include <signal.h>
#include <unistd.h>

#include <cstdint>
#include <iostream>
#include <string>

#include <brood/brood.hpp>

#include "board.hpp"
#include "killer.hpp"
#include "run.hpp"
#include "tasks.hpp"

namespace brood::storm {
namespace {

using os::KillPoint;

// A nursery is made anew in a program with one thread alone, so the watchdog here
// is no thread.
constexpr unsigned patience = 120;  // seconds

void tell_of_a_hang(int) {
  // Everybody waits, so nothing that this takes is held for long.
  std::cerr << "nothing has moved for " << patience << " s\n";
  fail("a pool could not be made and ended");
}

// Their births come in rows of one, one, two and two.
constexpr std::uint32_t workers = 6;

void preload() {}

bool is_of_preload(KillPoint point) {
  return point == KillPoint::before_preload_report || point == KillPoint::preload_reported;
}

PoolOptions options_for(KillPoint point) {
  PoolOptions options{.processes = workers, .context = run().settings.context, .name = "storm"};
  if (is_of_preload(point) || run().settings.preload) options.preload = preload;
  return options;
}

void require_works(Pool& pool) {
  for (std::uint64_t i = 0; i < 4; ++i) {
    const std::uint64_t task = run().next_task++;
    if (pool.apply(plain, task) != answer_to(task)) fail("a newly made pool answers wrongly");
  }
}

// The k-th to come by dies; the pool is made all the same, unless its own nursery,
// which passes a newborn's points too, was the one.
void make_pool_at(std::size_t index, std::int64_t k) {
  os::KillPlan& plan = board().plan;
  const auto point = static_cast<KillPoint>(index);
  const auto before = plan.killed[index].load();
  plan.point = static_cast<std::uint32_t>(index);
  plan.countdown = k;
  ::alarm(patience);
  try {
    Pool pool(options_for(point));
    require_works(pool);
  } catch (const BrokenPool& why) {
    const bool its_own = is_of_preload(point) || options_for(point).preload ||
                         run().settings.context == Context::fork;
    if (!its_own || plan.killed[index] == before) {
      fail(std::string("a pool broke at ") + name_of_point(index) + ": " + why.what());
    }
  } catch (const std::exception& why) {
    fail(std::string("no pool could be made at ") + name_of_point(index) + ": " + why.what());
  }
  plan.countdown = 0;
  ::alarm(0);
}

}  // namespace

void storm_births() {
  if (!has_kill_points) return;
  ::signal(SIGALRM, tell_of_a_hang);
  for (std::size_t index = 0; index < os::kill_point_count; ++index) {
    const auto point = static_cast<KillPoint>(index);
    if (!os::is_of_birth(point) && !os::is_of_nursery(point)) continue;
    for (std::int64_t k = 1; k <= std::int64_t{workers}; ++k) make_pool_at(index, k);
  }
}

}  // namespace brood::storm
