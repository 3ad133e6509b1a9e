// SPDX-License-Identifier: MIT
#include "lane_world.hpp"

#include <cstring>
#include <span>
#include <utility>

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
      condemned_left_(plan.condemned),
      cuts_left_(plan.cuts) {
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
      return deaths || kernel().is_rung() || revocations_left_ + condemned_left_ + cuts_left_ != 0;
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
  } else if (cuts_left_ != 0) {
    --cuts_left_;
    cut_one();
  }
}

void LaneWorld::work(Worker& worker) {
  lane::WorkerEnd end(worker.lane->data(), -1, -1);
  while (const auto claim = end.take()) {
    if (claim->bundle.empty()) {
      run_one(worker, *claim);
    } else {
      run_bundle(worker, end, *claim);
    }
    if (!end.finish(*claim)) explorer().sleep_until([] { return false; });
    explorer().know_only(moves_so_far());
  }
  worker.dead = true;
}

void LaneWorld::run_one(Worker& worker, const lane::Claim& claim) {
  const std::uint64_t argument = read_argument(claim.callable);
  if (argument >= tasks_.size()) explorer().fail("a task lost its argument");
  begin_item(claim);
  enter_user_code(worker, static_cast<int>(argument));
  end_item(claim, answer_to(argument));
  worker.running = -1;
}

// As LaneExecution::run_bundle.
void LaneWorld::run_bundle(Worker& worker, lane::WorkerEnd& end, const lane::Claim& claim) {
  auto rest = claim.callable;
  for (std::size_t place = 0; place < claim.bundle.size(); ++place) {
    const std::uint64_t argument = read_argument(rest.first(sizeof argument));
    rest = rest.subspan(lane::rounded_up(sizeof argument, 16));
    if (argument >= tasks_.size()) explorer().fail("a task lost its argument");
    if (!begin_bundled(claim, place)) return end.add_trailer(claim, lane::Trailer::rest, {}, 0);
    enter_user_code(worker, static_cast<int>(argument));
    end_bundled(claim, place, answer_to(argument));
    worker.running = -1;
  }
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
  worker->given.resize(plan_.slots);
  Worker* const hired = worker.get();
  workers_.push_back(std::move(worker));
  hired->fiber = explorer().spawn(workers_.size() == 1 ? "worker" : "next worker",
                                  [this, hired] { work(*hired); });
  only_moves_matter(hired->fiber);
  if (closed_) hired->lane->close();
}

void LaneWorld::dispatch(Wakes& wakes) {
  if (closed_ || current().dead || current().condemned >= 0) return;
  while (!backlog_.empty() && give_next(current())) {
    if (wakes.empty()) wakes.push_back(current().lane.get());
  }
}

// As many of the backlog as share a slot.
bool LaneWorld::give_next(Worker& worker) {
  const std::size_t count = std::min<std::size_t>(plan_.bundled, backlog_.size());
  std::vector<std::uint64_t> numbers(backlog_.begin(),
                                     backlog_.begin() + static_cast<std::ptrdiff_t>(count));
  std::optional<std::uint64_t> position;
  if (count == 1) {
    lane::Parcel parcel;
    parcel.callable = std::as_bytes(std::span(numbers));
    parcel.answer_room = sizeof(std::uint64_t);
    parcel.bell = !plan_.user_waits;
    position = worker.lane->give(parcel);
  } else {
    std::vector<lane::BundledRequest> calls;
    for (const std::uint64_t& number : numbers) {
      calls.push_back({number, std::as_bytes(std::span(&number, 1))});
    }
    position = worker.lane->give_bundle({}, calls);
    if (position && !plan_.user_waits) worker.lane->set_bell(*position);
  }
  if (!position) return false;
  given_at(worker, *position) = {std::vector<int>(numbers.begin(), numbers.end())};
  backlog_.erase(backlog_.begin(), backlog_.begin() + static_cast<std::ptrdiff_t>(count));
  return true;
}

void LaneWorld::drain() {
  Worker& worker = current();
  if (worker.buried) return;
  while (const auto answer = worker.lane->take()) {
    if (answer->impossible) explorer().fail("an honest worker's lane says the impossible");
    Given& given = given_at(worker, answer->position);
    if (answer->done && given.is_moved() && !given.is_cut) {
      explorer().fail("a task that was moved is done where it was");
    }
    if (!answer->done && !given.is_moved())
      explorer().fail("a task is passed that nobody withdrew");
    if (answer->done) {
      settle(given, *answer);
      if (!given.is_moved()) explorer().fail("an answer is done without its value");
    }
    worker.lane->release(*answer);
  }
}

// Those that have ended.
void LaneWorld::settle(Given& given, const lane::Answer& answer) {
  constexpr std::size_t size = sizeof(std::uint64_t);
  if (answer.ended > given.tasks.size() || answer.values.size() < answer.ended * size) {
    explorer().fail("an answer is done without its value");
  }
  for (std::size_t place = 0; place < answer.ended; ++place) {
    const int task = std::exchange(given.tasks[place], -1);
    if (task < 0) continue;
    std::uint64_t value = 0;
    std::memcpy(&value, answer.values.data() + place * size, size);
    if (value != answer_to(static_cast<std::uint64_t>(task))) {
      explorer().fail("a task got another's answer");
    }
    if (given.tasks.size() > 1 && answer.value_ends[place] != (place + 1) * size) {
      explorer().fail("a value ends where another does");
    }
    end(task, Fate::answered);
  }
}

// Behind so many, in their order.
void LaneWorld::give_back(Given& given, std::size_t from) {
  for (std::size_t place = given.tasks.size(); place-- > from;) {
    const int task = std::exchange(given.tasks[place], -1);
    if (task >= 0) backlog_.push_front(task);
  }
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
    Given& given = given_at(worker, answer->position);
    settle(given, *answer);
    const bool has_next = answer->ended < given.tasks.size();
    if (has_next && !answer->done && answer->claimed && given.tasks[answer->ended] >= 0 &&
        (answer->begun > answer->ended || answer->ended == 0)) {
      ++blamed;
      end(std::exchange(given.tasks[answer->ended], -1), Fate::crashed);
    }
    give_back(given, answer->ended);
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
    if (given_at(worker, at).is_moved() || !worker.lane->revoke(at)) continue;
    give_back(given_at(worker, at), 0);
    worker.lane->wake_waiters(at);
    return;
  }
}

// Of the one that the worker is at it keeps what it has begun.
void LaneWorld::cut_one() {
  Worker& worker = current();
  if (worker.buried || worker.lane->outstanding() == 0) return;
  const std::uint64_t at = worker.lane->oldest();
  Given& given = given_at(worker, at);
  if (given.tasks.size() < 2 || given.is_cut) return;
  const auto kept = worker.lane->cut(at);
  if (!kept) return;
  given.is_cut = true;
  give_back(given, *kept);
  given.tasks.resize(*kept);
  const lane::Answer so_far = worker.lane->peek_bundle(at);
  if (so_far.impossible) explorer().fail("an honest worker's lane says the impossible");
  settle(given, so_far);
}

void LaneWorld::condemn_one() {
  Worker& worker = current();
  if (worker.buried || worker.condemned >= 0) return;
  for (auto at = worker.lane->oldest(); at <= worker.lane->newest(); ++at) {
    const Given& given = given_at(worker, at);
    const int task = given.tasks.empty() ? -1 : given.tasks.front();
    if (task < 0 || !worker.lane->condemn(at)) continue;
    if (worker.running >= 0 && worker.running != task) {
      explorer().fail("another task than the condemned one would be killed");
    }
    worker.condemned = task;
    worker.kill_sent = true;
    end(task, Fate::timed_out);
    given_at(worker, at).tasks.front() = -1;
    return;
  }
}

void LaneWorld::close() {
  if (closed_) return;
  closed_ = true;
  if (!current().buried) current().lane->close();
}

}  // namespace brood::model
