// SPDX-License-Identifier: MIT
//
// What the explorer asks of the world.
#include "describe.hpp"
#include "kernel.hpp"
#include "lane_world.hpp"
#include "races.hpp"
#include "shared_memory.hpp"
#include "words.hpp"

namespace brood::model {

bool LaneWorld::all_settled() const {
  for (const Task& task : tasks_) {
    if (task.fate == Fate::open) return false;
  }
  return true;
}

LaneWorld::Worker* LaneWorld::worker_of(unsigned fiber) const {
  for (const auto& worker : workers_) {
    if (worker->fiber == fiber) return worker.get();
  }
  return nullptr;
}

Peril LaneWorld::peril(unsigned fiber) const {
  const Worker* const worker = worker_of(fiber);
  if (!worker) return Peril::none;
  if (worker->kill_sent) return Peril::will_die;
  return crashes_left_ != 0 ? Peril::may_die : Peril::none;
}

void LaneWorld::died(unsigned fiber) {
  Worker& worker = *worker_of(fiber);
  if (worker.kill_sent && worker.running >= 0 && worker.running != worker.condemned) {
    explorer().fail("a kill hits another task than the condemned one");
  }
  if (!worker.kill_sent) --crashes_left_;
  worker.dead = true;
  worker.running = -1;
  kernel().forget(fiber);
  ++deaths_;
}

void LaneWorld::check_slots_are_free(Worker& worker) {
  if (worker.lane->outstanding() != 0) explorer().fail("a slot is never freed");
  for (std::uint64_t at = 0; at < 16; ++at) {
    if (worker.lane->is_open(at)) explorer().fail("a slot stays open");
  }
}

void LaneWorld::check_end() {
  if (!all_settled()) explorer().fail("a task never ends");
  if (blamed_ > deaths_) explorer().fail("more tasks are blamed than workers died");
  for (const Task& task : tasks_) {
    if (task.fate == Fate::answered && task.runs != 1) explorer().fail("an answer without a run");
  }
}

Hash LaneWorld::state() const {
  Hash sum = mix(pool_state(), kernel().state());
  for (const Task& task : tasks_) sum = mix(sum, task.runs);
  for (const auto& worker : workers_) {
    sum = mix(sum, static_cast<std::uint64_t>(worker->running) * 2 + (worker->dead ? 1U : 0U));
  }
  return mix(sum, crashes_left_ * 2 + (lock_.is_held() ? 1 : 0));
}

// What the lock guards.
Hash LaneWorld::pool_state() const {
  Hash sum = mix(news_.load(std::memory_order_relaxed),
                 (cuts_left_ * 16 + revocations_left_) * 16 + condemned_left_);
  for (const Task& task : tasks_) sum = mix(sum, static_cast<std::uint64_t>(task.fate));
  for (const int task : backlog_) sum = mix(sum, static_cast<std::uint64_t>(task));
  for (const auto& worker : workers_) {
    sum = mix(sum, mix(worker->lane->oldest(), worker->lane->outstanding()));
    for (const Given& given : worker->given) {
      sum = mix(sum, given.tasks.size() * 2 + (given.is_cut ? 1U : 0U));
      for (const int task : given.tasks) sum = mix(sum, static_cast<std::uint64_t>(task));
    }
    sum = mix(sum, static_cast<std::uint64_t>(worker->condemned));
    sum = mix(sum, (worker->kill_sent ? 1U : 0U) + (worker->buried ? 2U : 0U));
  }
  return mix(sum, closed_ ? 1 : 0);
}

std::string LaneWorld::stuck() const {
  std::string text = "nobody can go on: ";
  text +=
      all_settled() ? "all tasks have ended, yet there sleep: " : "tasks are open; there sleep: ";
  return text + kernel().who_sleeps();
}

std::string LaneWorld::describe(const Step& step) const {
  std::string text = step.what;
  if (step.where == &lock_) return text + " the pool's lock";
  if (step.where == &news_) return text + " the user's own word";
  if (!step.where || !shared_memory().holds(step.where)) return text;
  return text + " " + describe_place(shared_memory().offset(step.where), step.value);
}

}  // namespace brood::model
