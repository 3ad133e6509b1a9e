// SPDX-License-Identifier: MIT
#include "killer.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "board.hpp"
#include "census.hpp"
#include "os/pidfd.hpp"
#include "run.hpp"

namespace brood::storm {
namespace {

using os::KillPoint;

constexpr const char* nursery_name = "brood-nursery";
constexpr const char* worker_prefix = "storm";  // the pool's name

// Not met while a pool is at work, or not in every context.
bool is_met(KillPoint point, const Settings& settings) {
  switch (point) {
    case KillPoint::before_exec:
    case KillPoint::after_exec: return settings.context == Context::spawn;
    case KillPoint::before_preload_report:
    case KillPoint::preload_reported: return false;  // see births.cpp
    default: return true;
  }
}

class Killer {
 public:
  explicit Killer(const Settings& settings)
      : settings_(settings),
        random_(settings.seed),
        gap_(std::max<std::uint64_t>(settings.tasks / std::max<std::uint64_t>(settings.kills, 1),
                                     1)) {
    board().plan.seed = settings.seed;
    if (settings.context == Context::fork) unused_ = programs_nursery();
    if (!has_kill_points) return;
    for (std::size_t i = 0; i < os::kill_point_count; ++i) {
      if (is_met(static_cast<KillPoint>(i), settings)) open_.push_back(i);
    }
  }

  void storm() {
    while (run().kills() < settings_.kills || !open_.empty()) {
      let_tasks_settle(gap_);
      const auto drawn = below(random_, 10);
      if (has_kill_points && drawn < 5) {
        at_a_point();
      } else if (has_kill_points && drawn < 6) {
        at_any_point();
      } else if (drawn < 7) {
        kill_nursery();
      } else {
        kill_worker();
      }
    }
  }

 private:
  static void let_tasks_settle(std::uint64_t number) {
    auto& settled = run().settled;
    const std::uint64_t end = settled + number;
    for (auto now = settled.load(); now < end; now = settled.load()) settled.wait(now);
  }

  bool is_nursery(const ChildSeen& child) const {
    return child.name == nursery_name && child.state != 'Z' && child.pid != unused_;
  }
  static bool is_worker(const ChildSeen& child) {
    return child.name.starts_with(worker_prefix) && child.state != 'Z';
  }

  // The number may have been given anew since /proc was read; what has a pidfd
  // and is a child of ours after that is what was meant.
  void kill(const ChildSeen& victim) {
    try {
      const os::UniqueFd pidfd = os::open_pidfd(victim.pid);
      const auto now = children();
      const bool same = std::any_of(now.begin(), now.end(), [&](const ChildSeen& child) {
        return child.pid == victim.pid && child.name == victim.name && child.state != 'Z';
      });
      if (!same) return;
      // Before: nobody may hear of a crash that is not in the count.
      ++run().sent_kills;
      if (!os::send_signal(pidfd.get(), os::kill_signal)) --run().sent_kills;
    } catch (const SystemError&) {
      // Gone already.
    }
  }

  template <typename Which>
  std::vector<ChildSeen> seen(Which which) {
    auto found = children();
    std::erase_if(found, [&](const ChildSeen& child) { return !which(child); });
    return found;
  }

  void kill_worker() {
    const auto workers = seen(is_worker);
    if (!workers.empty()) kill(workers[below(random_, workers.size())]);
  }

  // One that has a twin: a pool of copies of a program with threads can't make the
  // last one anew. A worker that was just born still bears its nursery's name.
  bool nurseries_are_whole() {
    return nurseries().size() >= (settings_.preload ? 4 : 2) &&
           seen(is_worker).size() >= settings_.workers;
  }
  std::vector<ChildSeen> nurseries() {
    return seen([this](const ChildSeen& child) { return is_nursery(child); });
  }
  void kill_nursery() {
    if (nurseries_are_whole()) {
      const auto all = nurseries();
      kill(all[below(random_, all.size())]);
    }
    // It's missed at the next birth.
    kill_worker();
  }

  // Points in turn, those first at which nobody died yet.
  std::size_t next_point() {
    if (!open_.empty()) return open_[turn_++ % open_.size()];
    std::size_t point = 0;
    do point = turn_++ % os::kill_point_count;
    while (!is_met(static_cast<KillPoint>(point), settings_));
    return point;
  }

  void at_a_point() {
    os::KillPlan& plan = board().plan;
    const std::size_t index = next_point();
    const auto point = static_cast<KillPoint>(index);
    const bool at_birth = os::is_of_birth(point) || os::is_of_nursery(point);
    if (at_birth && !nurseries_are_whole()) {
      kill_worker();  // whose heir's birth makes them whole
      return;
    }
    const auto before = plan.killed[index].load();
    const bool is_rare = plan.met[index] < 200;
    plan.point = static_cast<std::uint32_t>(index);
    plan.countdown = static_cast<std::int64_t>(1 + below(random_, is_rare ? 1 : at_birth ? 2 : 6));
    for (int patience = 0; patience < 50 && plan.killed[index] == before; ++patience) {
      if (point == KillPoint::nursery_settled)
        kill_nursery();
      else if (at_birth)
        kill_worker();
      let_tasks_settle(std::max<std::uint64_t>(gap_, 50));
    }
    plan.countdown = 0;
    if (plan.killed[index] != 0) std::erase(open_, index);
  }

  void at_any_point() {
    if (!nurseries_are_whole()) return kill_worker();
    os::KillPlan& plan = board().plan;
    plan.chance = 1U << 22;  // one in a thousand
    let_tasks_settle(gap_);
    plan.chance = 0;
  }

  // The eldest child. A pool of copies of the program has two of its own, and does
  // not miss this one.
  static int programs_nursery() {
    const auto all = children();
    const auto eldest = std::ranges::min_element(all, {}, &ChildSeen::pid);
    return eldest == all.end() ? 0 : eldest->pid;
  }

  const Settings& settings_;
  int unused_ = 0;  // a nursery that is left alone
  Random random_;
  const std::uint64_t gap_;        // tasks between two kills
  std::vector<std::size_t> open_;  // points at which nobody died yet
  std::size_t turn_ = 0;
};

}  // namespace

void be_killer() {
  Killer(run().settings).storm();
  run().calm = true;
}

}  // namespace brood::storm
