// SPDX-License-Identifier: MIT
//
// The engine's own thread: it sleeps on pidfds, the bell and the alarm, and does
// what nobody else is there to do. It blocks all signals, runs nothing of the
// user's, and waits for a nursery only with the lock open.
#include <algorithm>
#include <exception>
#include <memory>
#include <new>
#include <shared_mutex>

#include <brood/base/error.hpp>
#include <brood/wire/exception_record.hpp>

#include "os/child_setup.hpp"
#include "os/large_blocks.hpp"
#include "pool/end_of_task.hpp"
#include "pool/process_core.hpp"
#include "process/home.hpp"

namespace brood::detail {
namespace {

using namespace std::chrono_literals;

// By so much a worker may be ahead of what this thread has seen.
constexpr auto believable_haste = 1s;

// So long a worker has to say where it is before it's sent SIGTERM.
constexpr auto stack_patience = 20ms;

// So long a condemned worker's own handler of SIGTERM has before SIGKILL.
constexpr auto terminate_grace = 100ms;

}  // namespace

void ProcessEngine::supervise() noexcept {
  os::block_signals();
  is_starting_ = false;
  // Where the program has no memory left, the pool's end in good order takes some.
  constexpr std::size_t enough_to_end = std::size_t{32} << 10;
  Reserve reserve;
  {
    const std::shared_lock gate(process::fork_gate());
    reserve.reset(new (std::nothrow) std::byte[enough_to_end]);
    const os::OutOfMemoryKills kills = os::out_of_memory_kills();
    const std::lock_guard lock(mutex_);
    memory_.begin(kills);
    plan_spares(Clock::now());
  }
  while (supervise_once(reserve)) {
  }
  const std::shared_lock gate(process::fork_gate());
  reserve.reset();
  if (keeps_blocks_) os::forget_large_blocks();
  drop_spare();
  own_spare_.reset();
  own_nursery_.reset();
  groups_.reset();
  broom_.reset();
  const std::lock_guard lock(mutex_);
  supervisor_done_ = true;
  supervisor_ended_.notify_all();
}

// False once nobody is left to be supervised.
bool ProcessEngine::supervise_once(Reserve& reserve) {
  // A copy: births change what is watched.
  ready_ = poller_.wait();
  const std::shared_lock gate(process::fork_gate());
  try {
    attend(ready_);
    if (is_done()) return false;
    give_birth_where_needed();
    renew_spares_when_due();
    return !is_done();
  } catch (const std::bad_alloc&) {
    if (!reserve) std::terminate();
    reserve.reset();
    bell_.ring();  // it has looked at nothing yet
    return true;
  }
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
  {
    const std::lock_guard lock(mutex_);
    is_called_ = false;
    if (std::find(ready.begin(), ready.end(), alarm_tag) != ready.end()) {
      alarm_at_ = Clock::time_point::max();
    }
    drain(after);
    reap_dead(dead, after);
    meet_deadlines(after);
    watch_bundles(after);
    rebalance(after);
    dispatch(after);
    release_idle_workers(after);
  }
  carry_out(after);
  if (after.rare_or_null) remove_groups_of(after.rare_or_null->buried);
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
    after.rare().buried.push_back(worker);
    note_death_at_start(*worker, *how, after);
  }
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
  next = std::min({next, spares_due_, forget_unused_blocks(now, after)});
  for (const Seat& worker : workers_) {
    next = std::min(next, forget_unused_memory(*worker, now, after));
    if (!move_on(worker, now, after)) next = std::min(next, worker->patience_end);
    const bool is_condemned = worker->phase >= Worker::Phase::overdue;
    if (worker->timed_pieces == 0 || is_condemned) continue;
    next = std::min(next, check_worker_deadlines(worker, now, after));
  }
  if (next != Clock::time_point::max()) set_alarm(next);
}

// Of all pools. Returns when to look again.
ProcessEngine::Clock::time_point ProcessEngine::forget_unused_blocks(Clock::time_point now,
                                                                     Aftermath& after) {
  if (!keeps_blocks_) return Clock::time_point::max();
  const auto end = latest_large_ + unused_memory_patience;
  if (end > now) return end;
  keeps_blocks_ = false;
  after.rare().forget_blocks = true;
  return Clock::time_point::max();
}

// Returns when to look again.
ProcessEngine::Clock::time_point ProcessEngine::forget_unused_memory(Worker& worker,
                                                                     Clock::time_point now,
                                                                     Aftermath& after) {
  if (!worker.lane.keeps_memory()) return Clock::time_point::max();
  const auto end = worker.large_request + unused_memory_patience;
  if (end > now) return end;
  // What a task needs now is looked at when its answer is there.
  after.rare().unused.push_back(worker.lane.take_unused_memory());
  return Clock::time_point::max();
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
  after.rare().kill.push_back(worker);
  return true;
}

// Requires: what it runs is condemned, so that no signal hits another task.
void ProcessEngine::warn(const Seat& worker, Clock::time_point now, Aftermath& after) {
  worker->phase = Worker::Phase::warned;
  worker->patience_end = now + terminate_grace;
  after.rare().warn.push_back(worker);
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
    after.rare().ask.push_back(worker);
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
  give_back(piece, settled);
  settle_if_complete(*piece.job, after);
}

// The oldest pieces of a long line go where there is nothing to do.
void ProcessEngine::rebalance(Aftermath& after) {
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
      if (piece.is_bundle) {
        if (revoke_bundle(worker, at, after)) --wanted;
        continue;
      }
      if (!piece.job || !worker->lane.revoke(at)) continue;
      const Piece moved = std::move(piece);
      const JobExtras* const extras = moved.job->extras_or_null();
      if (extras && !extras->timeout.is_forever()) --worker->timed_pieces;
      worker->given_items -= moved.count;
      moved.job->seat = -1;
      give_back(moved, 0);
      worker->lane.wake_waiters(at);
      --wanted;
    }
  }
}

}  // namespace brood::detail
