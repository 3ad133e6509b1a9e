// SPDX-License-Identifier: MIT
#include "lane_world.hpp"

#include <cstring>

#include "describe.hpp"
#include "kernel.hpp"
#include "os/futex.hpp"
#include "os/poller.hpp"
#include "shared_memory.hpp"
#include "task_body.hpp"
#include "words.hpp"

namespace brood::model {
namespace {

std::uint64_t answer_to(std::uint64_t task) { return 1000 + task; }

}  // namespace

LaneWorld::LaneWorld(const Plan& plan)
    : plan_(plan),
      crashes_left_(plan.crashes),
      revocations_left_(plan.revocations),
      condemned_left_(plan.condemned) {
  kernel().reset();
  tasks_.resize(plan.tasks);
  for (unsigned i = 0; i < plan.tasks; ++i) backlog_.push_back(static_cast<int>(i));
  workers_.reserve(SharedMemory::most_lanes);
  explorer().spawn("user", [this] { user(); });
  explorer().spawn("supervisor", [this] { supervise(); });
  hire();
}

// --- the fibers ---

void LaneWorld::user() {
  for (;;) {
    Wakes wakes;
    std::optional<os::FutexWaiter> place;
    lock();
    drain();
    dispatch(wakes);
    const bool over = all_settled();
    if (over) close();
    const std::uint32_t news = news_.load();
    lane::ParentEnd& lane = *current().lane;
    const bool marks = !over && plan_.user_waits && lane.outstanding() != 0;
    if (marks) place = lane.mark_waiter(lane.oldest() + (lane.outstanding() - 1) / 2);
    unlock();
    for (auto* const sleeper : wakes) sleeper->wake();
    if (over) return os::Bell::ring(0);
    if (!marks || place) {
      std::vector<os::FutexWaiter> places{{&news_, news, os::Sharing::in_process}};
      if (place) places.push_back(*place);
      os::futex_wait_any(places.data(), static_cast<unsigned>(places.size()), Deadline());
    }
    explorer().know_only(0);
  }
}

void LaneWorld::supervise() {
  for (;;) {
    explorer().step({"is about to listen", nullptr});
    explorer().sleep_until([this] {
      bool deaths = false;
      for (const auto& worker : workers_) deaths |= worker->dead && !worker->buried;
      // An alarm goes off at any time.
      return deaths || kernel().is_rung() || revocations_left_ + condemned_left_ != 0;
    });
    explorer().remark({"listens", nullptr});
    kernel().quiet();
    Wakes wakes;
    lock();
    const auto before = pool_state();
    drain();
    meddle();
    Worker* const dead = current().dead && !current().buried ? &current() : nullptr;
    if (dead) bury(*dead);
    dispatch(wakes);
    const bool over = closed_ && current().buried;
    const bool news = pool_state() != before;
    if (news) ++news_;
    unlock();
    for (auto* const sleeper : wakes) sleeper->wake();
    if (news) os::futex_wake(&news_, 1, os::Sharing::in_process);
    if (over) return;
    explorer().know_only(0);
  }
}

// What deadlines, cancels and idle neighbours do to tasks, at any time.
void LaneWorld::meddle() {
  if (revocations_left_ != 0) {
    --revocations_left_;
    revoke_one();
  } else if (condemned_left_ != 0) {
    --condemned_left_;
    condemn_one();
  }
}

void LaneWorld::work(Worker& worker) {
  lane::WorkerEnd end(worker.lane->data(), -1, -1);
  while (const auto claim = end.take()) {
    const std::uint64_t argument = read_argument(*claim);
    if (argument >= tasks_.size()) explorer().fail("a task lost its argument");
    begin_item(*claim);
    enter_user_code(worker, static_cast<int>(argument));
    end_item(*claim, answer_to(argument));
    worker.running = -1;
    if (!end.finish(*claim)) explorer().sleep_until([] { return false; });
    explorer().know_only(moves_so_far());
  }
  worker.dead = true;
}

void LaneWorld::enter_user_code(Worker& worker, int task) {
  worker.running = task;
  if (++tasks_[static_cast<std::size_t>(task)].runs > 1) explorer().fail("a task is run twice");
  if (worker.condemned >= 0 && worker.condemned != task) {
    explorer().fail("a worker goes on to a task while it's being killed for another");
  }
}

// --- under the lock ---

void LaneWorld::lock() {
  lock_.lock();
  explorer().learn(pool_state());
}

void LaneWorld::hire() {
  auto worker = std::make_unique<Worker>();
  worker->lane = std::make_unique<lane::ParentEnd>(lane::Geometry{plan_.slots, 4096});
  worker->tasks.assign(plan_.slots, -1);
  Worker* const hired = worker.get();
  workers_.push_back(std::move(worker));
  hired->fiber = explorer().spawn(workers_.size() == 1 ? "worker" : "next worker",
                                  [this, hired] { work(*hired); });
  only_moves_matter(hired->fiber);
  if (closed_) hired->lane->close();
}

void LaneWorld::dispatch(Wakes& wakes) {
  if (closed_ || current().dead || current().condemned >= 0) return;
  while (!backlog_.empty()) {
    const auto number = static_cast<std::uint64_t>(backlog_.front());
    lane::Parcel parcel;
    parcel.callable = std::as_bytes(std::span(&number, 1));
    parcel.answer_room = sizeof number;
    parcel.bell = !plan_.user_waits;
    const auto position = current().lane->give(parcel);
    if (!position) break;
    task_at(current(), *position) = static_cast<int>(number);
    backlog_.pop_front();
    if (wakes.empty()) wakes.push_back(current().lane.get());
  }
}

void LaneWorld::drain() {
  Worker& worker = current();
  if (worker.buried) return;
  while (const auto answer = worker.lane->take()) {
    if (answer->impossible) explorer().fail("an honest worker's lane says the impossible");
    const int task = task_at(worker, answer->position);
    if (answer->done && task < 0) explorer().fail("a task that was moved is done where it was");
    if (!answer->done && task >= 0) explorer().fail("a task is passed that nobody withdrew");
    if (answer->done) settle(task, *answer);
    worker.lane->release(*answer);
  }
}

void LaneWorld::settle(int task, const lane::Answer& answer) {
  std::uint64_t value = 0;
  if (answer.ended != 1 || answer.values.size() != sizeof value) {
    explorer().fail("an answer is done without its value");
  }
  std::memcpy(&value, answer.values.data(), sizeof value);
  if (value != answer_to(static_cast<std::uint64_t>(task))) {
    explorer().fail("a task got another's answer");
  }
  end(task, Fate::answered);
}

void LaneWorld::end(int task, Fate fate) {
  Task& ended = tasks_[static_cast<std::size_t>(task)];
  if (++ended.endings > 1) explorer().fail("a task ends twice");
  ended.fate = fate;
}

void LaneWorld::bury(Worker& worker) {
  races().buried(worker.fiber);
  drain();
  const std::uint64_t first = worker.lane->oldest();
  unsigned blamed = 0;
  while (const auto answer = worker.lane->take_dead()) {
    const int task = task_at(worker, answer->position);
    if (task >= 0 && (answer->done || answer->ended == 1)) {
      settle(task, *answer);
    } else if (task >= 0 && answer->claimed) {
      ++blamed;
      end(task, Fate::crashed);
    } else if (task >= 0) {
      backlog_.push_front(task);
    }
    worker.lane->release(*answer);
  }
  for (auto at = first; at <= worker.lane->newest(); ++at) worker.lane->abandon(at);
  if (blamed > 1) explorer().fail("one death is blamed on two tasks");
  blamed_ += blamed;
  worker.buried = true;
  check_slots_are_free(worker);
  if (!closed_) hire();
}

// The newest that is queued, as the balance between workers would, or the oldest.
void LaneWorld::revoke_one() {
  Worker& worker = current();
  if (worker.buried || worker.lane->outstanding() == 0) return;
  const std::uint64_t count = worker.lane->outstanding();
  const bool newest = count > 1 && explorer().choose(2, "revokes the oldest or newest") == 1;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto at = newest ? worker.lane->newest() - i : worker.lane->oldest() + i;
    if (task_at(worker, at) < 0 || !worker.lane->revoke(at)) continue;
    backlog_.push_front(task_at(worker, at));
    task_at(worker, at) = -1;
    worker.lane->wake_waiters(at);
    return;
  }
}

void LaneWorld::condemn_one() {
  Worker& worker = current();
  if (worker.buried || worker.condemned >= 0) return;
  for (auto at = worker.lane->oldest(); at <= worker.lane->newest(); ++at) {
    const int task = task_at(worker, at);
    if (task < 0 || !worker.lane->condemn(at)) continue;
    if (worker.running >= 0 && worker.running != task) {
      explorer().fail("another task than the condemned one would be killed");
    }
    worker.condemned = task;
    worker.kill_sent = true;
    end(task, Fate::timed_out);
    task_at(worker, at) = -1;
    return;
  }
}

void LaneWorld::close() {
  if (closed_) return;
  closed_ = true;
  if (!current().buried) current().lane->close();
}

// --- what the explorer asks ---

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
  Hash sum = mix(news_.load(std::memory_order_relaxed), revocations_left_ * 16 + condemned_left_);
  for (const Task& task : tasks_) sum = mix(sum, static_cast<std::uint64_t>(task.fate));
  for (const int task : backlog_) sum = mix(sum, static_cast<std::uint64_t>(task));
  for (const auto& worker : workers_) {
    sum = mix(sum, mix(worker->lane->oldest(), worker->lane->outstanding()));
    for (const int task : worker->tasks) sum = mix(sum, static_cast<std::uint64_t>(task));
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
