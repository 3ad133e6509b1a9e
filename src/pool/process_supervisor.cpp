// SPDX-License-Identifier: MIT
//
// The engine's own thread: it sleeps on pidfds, the bell and the alarm, and does
// what nobody else is there to do. It blocks all signals, runs nothing of the
// user's, and waits for a nursery only with the lock open.
#include <algorithm>
#include <new>
#include <shared_mutex>

#include <brood/base/error.hpp>
#include <brood/wire/exception_record.hpp>

#include "os/child_setup.hpp"
#include "pool/end_of_task.hpp"
#include "pool/process_core.hpp"
#include "process/home.hpp"

namespace brood::detail {
namespace {

using namespace std::chrono_literals;

// So many workers in a row that died before they were ready mean that none will
// ever be.
constexpr unsigned most_deaths_at_start = 5;

// After a birth that the system refused.
constexpr auto before_the_next_try = 100ms;

// By so much a worker may be ahead of what this thread has seen.
constexpr auto believable_haste = 1s;

// So long a worker has to say where it is before it's sent SIGTERM.
constexpr auto stack_patience = 20ms;

// So long a condemned worker's own handler of SIGTERM has before SIGKILL.
constexpr auto terminate_grace = 100ms;

}  // namespace

void ProcessEngine::supervise() noexcept {
  os::block_signals();
  {
    const std::shared_lock gate(process::fork_gate());
    renew_spares();
    const os::OutOfMemoryKills kills = os::out_of_memory_kills();
    const std::lock_guard lock(mutex_);
    memory_.begin(kills);
  }
  while (supervise_once()) {
  }
  drop_spare();
  own_spare_.reset();
  own_nursery_.reset();
  groups_.reset();
  broom_.reset();
  const std::lock_guard lock(mutex_);
  supervisor_done_ = true;
  settled_.notify_all();
}

// False once nobody is left to be supervised.
bool ProcessEngine::supervise_once() {
  // A copy: births change what is watched.
  const std::vector<std::uint64_t> ready = poller_.wait();
  const std::shared_lock gate(process::fork_gate());
  attend(ready);
  if (is_done()) return false;
  give_birth_where_needed();
  return !is_done();
}

bool ProcessEngine::is_done() const {
  const std::lock_guard lock(mutex_);
  return ending_ && workers_.empty();
}

// To all that has happened, but for births.
void ProcessEngine::attend(const std::vector<std::uint64_t>& ready) {
  std::vector<std::uint64_t> dead;
  for (const std::uint64_t tag : ready) {
    if (tag == bell_tag) {
      bell_.quiet();
    } else if (tag == alarm_tag) {
      alarm_.quiet();
    } else {
      dead.push_back(tag);
    }
  }
  Aftermath after;
  after.wakes_moved = true;
  {
    const std::lock_guard lock(mutex_);
    if (std::find(ready.begin(), ready.end(), alarm_tag) != ready.end()) {
      alarm_at_ = Clock::time_point::max();
    }
    drain(after);
    reap_dead(dead, after);
    meet_deadlines(after);
    rebalance(after);
    dispatch(after);
    release_idle_workers(after);
  }
  carry_out(after);
  remove_groups_of(after.buried);
}

// Of those in which something had to be killed first the kernel does not say when they
// are empty in a way that the poller hears; it's soon, or, stuck in the kernel, never.
void ProcessEngine::remove_groups_of(const std::vector<Seat>& buried) {
  for (const Seat& worker : buried) {
    if (!worker->memory) continue;
    groups_->remove(*worker->memory);
    until_groups_are_empty_ = 1ms;
  }
  if (!groups_ || !groups_->any_lingers()) return;
  groups_->remove_lingering();
  if (!groups_->any_lingers()) return;
  const std::lock_guard lock(mutex_);
  set_alarm(Clock::now() + until_groups_are_empty_);
  until_groups_are_empty_ = std::min<std::chrono::milliseconds>(2 * until_groups_are_empty_, 10s);
}

void ProcessEngine::reap_dead(const std::vector<std::uint64_t>& ids, Aftermath& after) {
  for (const std::uint64_t id : ids) {
    const auto found = std::find_if(workers_.begin(), workers_.end(),
                                    [&](const Seat& worker) { return worker->id == id; });
    if (found == workers_.end()) continue;
    const Seat worker = *found;
    // What it left running in its group has lost its purpose. Before it's reaped:
    // then the number may be another group's.
    os::kill_group(worker->child.pid);
    const auto how = os::reap(worker->child);
    if (!how) continue;
    poller_.forget(worker->child.pidfd.get());
    workers_.erase(found);
    // Before the pool may break of it: what it had goes back in line first.
    bury(worker, *how, after);
    after.buried.push_back(worker);
    note_death_at_start(*worker, *how, after);
  }
}

void ProcessEngine::note_death_at_start(Worker& worker, const os::ExitStatus& how,
                                        Aftermath& after) {
  const lane::Startup startup = worker.lane.startup();
  if (startup == lane::Startup::ready || terminated_) {
    deaths_at_start_ = 0;
    return;
  }
  if (startup == lane::Startup::failed) {
    break_of_failed_start(worker, after);
    return;
  }
  // Not in a row, if one that was born since then got through.
  const bool one_is_ready = std::any_of(workers_.begin(), workers_.end(), [&](const Seat& other) {
    return other->id > latest_death_at_start_ && other->lane.startup() == lane::Startup::ready;
  });
  if (one_is_ready) deaths_at_start_ = 0;
  latest_death_at_start_ = worker.id;
  ++deaths_at_start_;
  if (!charter_.initializer.given && deaths_at_start_ < most_deaths_at_start) return;
  const std::string which = charter_.initializer.given ? "a worker that ran its initializer "
                                                       : "each worker that is born ";
  const os::CrashNotes notes = os::read_notes(worker.lane.crash_record());
  const std::string end = describe_end(how, notes, memory_end_of(worker, how, notes));
  break_pool(std::make_exception_ptr(BrokenPool("cannot use this pool: " + which + end)), after);
}

// Its initializer threw.
void ProcessEngine::break_of_failed_start(const Worker& worker, Aftermath& after) {
  std::string why;
  try {
    std::rethrow_exception(wire::decode_exception(worker.lane.startup_failure(), worker.child.pid));
  } catch (const std::bad_alloc& thrown) {
    why = thrown.what();
    if (charter_.memory_limit != 0) {
      why += ", with a memory_limit of " + in_words(charter_.memory_limit);
    }
  } catch (const std::exception& thrown) {
    why = thrown.what();
  } catch (...) {
    why = "it threw something that is no std::exception";
  }
  break_pool(
      std::make_exception_ptr(BrokenPool("cannot use this pool: its initializer failed: " + why)),
      after);
}

// Workers that failed to start break the pool; those that are too many, or that
// have nothing to do at the end, are sent away.
void ProcessEngine::release_idle_workers(Aftermath& after) {
  for (const Seat& worker : workers_) {
    if (broken_ || !worker->lane.may_have_failed_to_start()) continue;
    if (worker->lane.startup() != lane::Startup::failed) continue;
    break_of_failed_start(*worker, after);
  }
  if ((closed_ && unsettled_jobs_ == 0) || terminated_) ending_ = true;
  std::size_t staying = 0;
  for (const Seat& worker : workers_) {
    const bool stays = !ending_ && staying < wanted_workers_;
    if (worker->phase != Worker::Phase::working) continue;
    if (stays) {
      ++staying;
      continue;
    }
    worker->phase = Worker::Phase::retiring;
    worker->lane.close();
  }
}

void ProcessEngine::meet_deadlines(Aftermath& after) {
  const auto now = Clock::now();
  auto next = Clock::time_point::max();
  for (auto grace = graces_.begin(); grace != graces_.end();) {
    if (grace->end > now) {
      next = std::min(next, (grace++)->end);
      continue;
    }
    if (const Seat worker = grace->worker.lock(); worker && worker->lane.condemn(grace->position)) {
      warn(worker, now, after);
    }
    grace = graces_.erase(grace);
  }
  for (const Seat& worker : workers_) {
    if (!move_on(worker, now, after)) next = std::min(next, worker->patience_end);
    const bool is_condemned = worker->phase >= Worker::Phase::overdue;
    if (worker->timed_pieces == 0 || is_condemned) continue;
    next = std::min(next, check_worker_deadlines(worker, now, after));
  }
  if (next != Clock::time_point::max()) set_alarm(next);
}

// A condemned worker on its way: its stack, SIGTERM, SIGKILL. False while it has
// time left.
bool ProcessEngine::move_on(const Seat& worker, Clock::time_point now, Aftermath& after) {
  if (worker->phase == Worker::Phase::overdue) {
    if (worker->patience_end > now && !os::is_complete(worker->lane.crash_record())) return false;
    warn(worker, now, after);
    time_out(worker, after);
  }
  if (worker->phase != Worker::Phase::warned) return true;
  if (worker->patience_end > now) return false;
  worker->phase = Worker::Phase::doomed;
  after.kill.push_back(worker);
  return true;
}

// Requires: what it runs is condemned, so that no signal hits another task.
void ProcessEngine::warn(const Seat& worker, Clock::time_point now, Aftermath& after) {
  worker->phase = Worker::Phase::warned;
  worker->patience_end = now + terminate_grace;
  after.warn.push_back(worker);
  set_alarm(worker->patience_end);
}

// Only the oldest task of a lane can be running. Returns when to look again.
ProcessEngine::Clock::time_point ProcessEngine::check_worker_deadlines(const Seat& worker,
                                                                       Clock::time_point now,
                                                                       Aftermath& after) {
  auto soonest = Clock::time_point::max();
  for (auto at = worker->lane.oldest(); at <= worker->lane.newest(); ++at) {
    const Piece& piece = worker->piece(at);
    const JobExtras* const extras = piece.job ? piece.job->extras_or_null() : nullptr;
    if (!extras || extras->timeout.is_forever()) continue;
    const auto timeout = extras->timeout.length();
    const auto running = worker->lane.running_item(at);
    if (!running) {
      soonest = std::min(soonest, Deadline(extras->timeout).at());
      continue;
    }
    auto since = Clock::time_point(Clock::duration(running->since));
    if (since > now + believable_haste) {
      worker->lane.call_scribbled();  // it's killed when its lane is looked at
      after.ring = true;
      return now;
    }
    since = std::max(since, piece.given - believable_haste);
    const auto end = since + timeout;
    if (end > now) {
      soonest = std::min(soonest, end);
      continue;
    }
    if (!worker->lane.condemn_item(at, running->begun)) {
      soonest = std::min(soonest, now);
      continue;
    }
    // It rings when it has told where it is; killed it is even if it can't.
    worker->phase = Worker::Phase::overdue;
    worker->overdue_position = at;
    worker->patience_end = now + stack_patience;
    after.ask.push_back(worker);
    return worker->patience_end;
  }
  return soonest;
}

// The item that the worker is at fails, unless it ended while it was condemned;
// what the worker had not begun is for others.
void ProcessEngine::time_out(const Seat& worker, Aftermath& after) {
  const std::uint64_t position = worker->overdue_position;
  const Piece piece = worker->piece(position);
  if (!piece.job || piece.job->ready()) return;
  auto answer = worker->lane.peek_condemned(position);
  keep(*piece.job, piece.first, answer.ended, answer.values);
  std::size_t settled = answer.ended;
  if (answer.impossible || answer.begun > answer.ended) {
    const std::size_t item = piece.first + settled;
    fail_item(*piece.job, item,
              Failure{timeout_of(*piece.job, item, worker->child.pid,
                                 os::read_notes(worker->lane.crash_record())),
                      nullptr, 0, 0});
    ++settled;
  }
  // The piece is no more: nothing in it is left to this worker.
  --worker->timed_pieces;
  worker->piece(position).job = {};
  piece.job->seat = -1;
  if (settled < piece.count) {
    give_back(*piece.job, piece.first + settled, piece.count - settled);
  }
  settle_if_complete(*piece.job, after);
}

// The oldest pieces of a long line go where there is nothing to do.
void ProcessEngine::rebalance(Aftermath&) {
  if (!backlog_.empty()) return;
  const auto idle = static_cast<std::size_t>(
      std::count_if(workers_.begin(), workers_.end(), [](const Seat& worker) {
        return worker->phase == Worker::Phase::working && worker->lane.outstanding() == 0;
      }));
  std::size_t wanted = idle;
  for (const Seat& worker : workers_) {
    if (wanted == 0) return;
    for (auto at = worker->lane.newest(); at > worker->lane.oldest() && wanted != 0; --at) {
      Piece& piece = worker->piece(at);
      if (!piece.job || !worker->lane.revoke(at)) continue;
      const JobRef<Job> job = std::move(piece.job);
      const JobExtras* const extras = job->extras_or_null();
      if (extras && !extras->timeout.is_forever()) --worker->timed_pieces;
      worker->given_items -= piece.count;
      job->seat = -1;
      give_back(*job, piece.first, piece.count);
      worker->lane.wake_waiters(at);
      --wanted;
    }
  }
}

void ProcessEngine::give_birth_where_needed() {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (ending_ || terminated_ || broken_) return;
      const auto alive = static_cast<std::size_t>(std::count_if(
          workers_.begin(), workers_.end(),
          [](const Seat& worker) { return worker->phase != Worker::Phase::retiring; }));
      if (alive >= wanted_workers_) break;
    }
    if (!give_one_birth()) return;
  }
  renew_spares();
}

// Where there's nobody left to work and nobody can be born, the pool is broken;
// else it's tried again.
bool ProcessEngine::give_one_birth() {
  Aftermath after;
  after.wakes_moved = true;
  bool is_born = true;
  try {
    Seat worker = give_birth(true);
    const std::lock_guard lock(mutex_);
    poller_.watch(worker->child.pidfd.get(), worker->id);
    workers_.push_back(worker);
    if (terminated_) after.kill.push_back(worker);
    ++counted_.respawned;
    rebalance(after);
    dispatch(after);
  } catch (const BrokenPool&) {
    is_born = false;
    const std::lock_guard lock(mutex_);
    break_pool(std::current_exception(), after);
  } catch (const std::exception& why) {
    is_born = false;
    const std::lock_guard lock(mutex_);
    if (workers_.empty()) {
      break_pool(std::make_exception_ptr(BrokenPool(
                     std::string("cannot use this pool: no worker can be started: ") + why.what())),
                 after);
    } else {
      set_alarm(Clock::now() + before_the_next_try);
    }
  }
  carry_out(after);
  return is_born;
}

// The nurseries' twins stand by. Without them the pool goes on; they are missed
// when a nursery dies, or made at the next birth.
void ProcessEngine::renew_spares() noexcept {
  try {
    if (options_.context != Context::fork) process::renew_spare_nursery();
    if (!own_nursery_ || (own_spare_ && own_spare_->is_alive())) return;
    own_spare_ = process::make_twin(*own_nursery_);
  } catch (const std::exception&) {
  }
}

}  // namespace brood::detail
