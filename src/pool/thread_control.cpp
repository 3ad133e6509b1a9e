// SPDX-License-Identifier: MIT
//
// How a pool of threads is stopped, asked and kept to its deadlines.
#include <algorithm>
#include <string>
#include <system_error>

#include <brood/base/error.hpp>

#include "os/child_setup.hpp"
#include "pool/thread_run.hpp"
#include "process/home.hpp"

namespace brood::detail {
namespace {

constexpr const char* pool_ended = "cannot give a result: its pool ended first";

}  // namespace

// The thread goes on with the item that was taken from it; somebody else takes
// its place, and the rest of its piece.
void ThreadEngine::give_up(Run& run, Announced& settled) {
  run.given_up.store(true, std::memory_order_release);
  Job& job = *run.job;
  const std::size_t kept = run.kept_items.exchange(0, std::memory_order_acquire);
  counted_.done += kept;
  job.note_kept(kept);
  const std::size_t next = run.item() + 1;
  const std::size_t end = run.first + run.count;
  if (MapJob* const map = job.as_map(); map && !job.ready() && next < end) {
    map->returned.push_back({next, end - next});
    if (!job.in_backlog) {
      job.in_backlog = true;
      backlog_.push_front(run.job);
    }
  }
  settle_if_complete(job, settled);
}

bool ThreadEngine::cancel(Job& job, Timeout grace) {
  require_own();
  Announced settled;
  {
    Lock lock(mutex_);
    if (job.ready()) return false;
    const Deadline end(grace);
    for (const auto& run : runs_) {
      if (run->job.get() != &job) continue;
      counted_.done += run->kept_items.exchange(0, std::memory_order_acquire);
      if (!end.is_never()) graces_.push_back({run, JobRef<Job>::share(&job), end.at()});
    }
    settle_whole(
        job, Job::Outcome::cancelled,
        std::make_exception_ptr(CancelledError("cannot give a result: task " +
                                               std::to_string(job.id().number) + " was cancelled")),
        settled);
    // What runs of it is dropped when it ends: its outcome is written.
    try {
      if (!graces_.empty()) start_watching();
    } catch (const SystemError&) {
      graces_.clear();  // its threads keep their places until they listen
    }
  }
  announce(settled);
  return true;
}

void ThreadEngine::start_watching() {
  deadlines_changed_.notify_all();
  if (watching_) return;
  retain();
  try {
    process::start_own_thread("brood-deadlines", [this] {
      watch_deadlines();
      release();
    }).detach();
  } catch (const std::system_error& refusal) {
    release();
    throw SystemError(refusal.code().value(),
                      std::string("cannot start the pool's thread: ") + refusal.what());
  }
  watching_ = true;
}

// Threads that are still in a task which was cancelled a grace ago belong to the
// pool no longer.
void ThreadEngine::leave_deaf_behind(Clock::time_point now) {
  for (const Grace& grace : graces_) {
    if (grace.end > now || grace.run->job.get() != grace.job.get()) continue;
    grace.run->given_up.store(true, std::memory_order_release);
    std::erase(runs_, grace.run);
    changed_.notify_all();
  }
  std::erase_if(graces_, [&](const Grace& grace) {
    return grace.end <= now || grace.run->job.get() != grace.job.get();
  });
}

// New threads for those that were left behind. Where there is none at all, and none
// can be had, the pool is broken; else the others go on.
void ThreadEngine::fill_up(Lock& lock, Announced& settled) {
  if (terminated_ || broken_ || (closed_ && unsettled_jobs_ == 0)) return;
  try {
    while (runs_.size() < wanted_workers_) start_thread(lock);
  } catch (const std::exception& why) {
    if (!runs_.empty()) return;
    break_pool(std::make_exception_ptr(BrokenPool(
                   std::string("cannot use this pool: no worker can be started: ") + why.what())),
               settled);
  }
}

void ThreadEngine::watch_deadlines() noexcept {
  os::block_signals();
  Lock lock(mutex_);
  for (;;) {
    const auto now = Clock::now();
    leave_deaf_behind(now);
    const bool idle =
        terminated_ || (closed_ && unsettled_jobs_ == 0 && graces_.empty()) || broken_;
    if (idle) break;
    auto next = Clock::time_point::max();
    Announced settled;
    for (const auto& run : std::vector(runs_)) {
      if (!run->job || !run->timed || run->given_up.load() || !run->has_open_item()) continue;
      const auto end = run->since() + run->job->extras_or_null()->timeout.length();
      if (end > now) {
        next = std::min(next, end);
      } else if (run->take_away()) {
        fail_item(*run->job, run->item(),
                  std::make_exception_ptr(TaskTimeout(
                      "cannot finish task " + std::to_string(run->job->id().number) +
                      ": it ran longer than its timeout; its thread goes on, since threads can't "
                      "be killed")));
        give_up(*run, settled);
        std::erase(runs_, run);
      }
    }
    fill_up(lock, settled);
    if (!settled.empty()) {
      lock.unlock();
      announce(settled);
      lock.lock();
      continue;
    }
    for (const Grace& grace : graces_) next = std::min(next, grace.end);
    // An item that begins between two looks is seen at the next: often enough
    // for the shortest timeout that is asked for now.
    for (const auto& run : runs_) {
      if (!run->job || !run->timed) continue;
      next = std::min(next, now + run->job->extras_or_null()->timeout.length());
    }
    if (next == Clock::time_point::max()) {
      deadlines_changed_.wait(lock);
    } else {
      deadlines_changed_.wait_until(lock, next);
    }
  }
  watching_ = false;
  graces_.clear();
}

void ThreadEngine::break_pool(std::exception_ptr why, Announced& settled) {
  if (broken_) return;
  broken_ = why;
  backlog_.for_each([&](Job& job) { settle_whole(job, Job::Outcome::failed, why, settled); });
  for (const auto& run : runs_) {
    if (run->job) settle_whole(*run->job, Job::Outcome::failed, why, settled);
  }
  backlog_.clear();
  work_there_.notify_all();
  changed_.notify_all();
  deadlines_changed_.notify_all();
}

JobState ThreadEngine::poll(JobId id) {
  require_own();
  const std::lock_guard lock(mutex_);
  const IdTable::Found found = ids_.find(id);
  if (!found.pending) return found.state;
  const bool runs = std::any_of(runs_.begin(), runs_.end(),
                                [&](const auto& run) { return run->job.get() == found.pending; });
  return runs || found.pending->kept_items() != 0 ? JobState::running : JobState::queued;
}

void ThreadEngine::close() {
  require_own();
  const std::lock_guard lock(mutex_);
  closed_ = true;
  work_there_.notify_all();
  deadlines_changed_.notify_all();
}

bool ThreadEngine::join(const Deadline& deadline) {
  require_own();
  {
    Lock lock(mutex_);
    if (!closed_ && !terminated_) {
      throw ValueError("cannot join the pool: it may still get tasks; call close() first");
    }
    const auto over = [&] { return unsettled_jobs_ == 0 && (terminated_ || runs_.empty()); };
    if (deadline.is_never()) {
      changed_.wait(lock, over);
    } else if (!changed_.wait_until(lock, deadline.at(), over)) {
      return false;
    }
    deadlines_changed_.notify_all();
  }
  return callbacks_.finish(deadline);
}

void ThreadEngine::terminate() noexcept {
  if (!is_own()) return;
  Announced settled;
  Backlog dropped;  // their users' destructors run with the lock open
  {
    Lock lock(mutex_);
    if (!terminated_) {
      terminated_ = closed_ = true;
      const auto error = std::make_exception_ptr(CancelledError(pool_ended));
      backlog_.for_each(
          [&](Job& job) { settle_whole(job, Job::Outcome::cancelled, error, settled); });
      for (const auto& run : runs_) {
        if (run->job) settle_whole(*run->job, Job::Outcome::cancelled, error, settled);
      }
      dropped.swap(backlog_);
    }
    work_there_.notify_all();
    deadlines_changed_.notify_all();
    // Idle threads go at once; those in a task are left behind, and hold the
    // engine until they end.
    changed_.wait(lock, [&] {
      return std::none_of(runs_.begin(), runs_.end(), [](const auto& run) { return !run->job; });
    });
  }
  announce(settled);
  callbacks_.drop();
}

void ThreadEngine::resize(std::size_t count) {
  require_own();
  Lock lock(mutex_);
  if (closed_) throw ValueError("cannot resize the pool: it's closed");
  wanted_workers_ = count;
  while (runs_.size() < wanted_workers_) start_thread(lock);
  work_there_.notify_all();
}

PoolStats ThreadEngine::stats() {
  require_own();
  const std::lock_guard lock(mutex_);
  PoolStats now = counted_;
  now.workers = runs_.size();
  for (const auto& run : runs_) {
    if (!run->job || run->job->ready()) continue;
    now.done += run->kept_items.load(std::memory_order_relaxed);
    if (run->has_open_item()) ++now.running;
  }
  backlog_.for_each([&](Job& job) {
    const MapJob* const map = job.as_map();
    now.queued += map ? map->item_count() - map->next_item : 1;
  });
  return now;
}

}  // namespace brood::detail
