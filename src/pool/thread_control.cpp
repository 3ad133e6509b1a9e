// SPDX-License-Identifier: MIT
//
// How what a pool of threads runs is settled, stopped, asked and kept to its deadlines.
#include <algorithm>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include <brood/base/error.hpp>

#include "os/child_setup.hpp"
#include "pool/job_end.hpp"
#include "pool/thread_run.hpp"
#include "process/home.hpp"

namespace brood::detail {

// The thread goes on with the item that was taken from it; somebody else takes
// its place, and the rest of its piece.
void ThreadEngine::give_up(Frame& frame, Lock& lock, Announced& settled) {
  frame.given_up.store(true, std::memory_order_release);
  Job& job = frame.job;
  const std::size_t next = frame.item() + 1;
  const std::size_t end = frame.first + frame.count;
  if (MapJob* const map = job.as_map(); map && !job.ready() && next < end) {
    map->returned.push_back({next, end - next});
    queued_items_ += end - next;
    if (!job.in_backlog) {
      job.in_backlog = true;
      returned_.push_front(JobRef<Job>::share(&job));
      ++returned_count_;
    }
  }
  account(frame, settled);
  leave_behind(frame.run, lock);
}

// The thread ends when its tasks have returned.
void ThreadEngine::leave_behind(Run& run, Lock& lock) noexcept {
  if (run.left.exchange(true)) return;
  if (run.has_slot) free_slot(run, lock);
  put_back(run);
  std::erase(runs_, &run);
  changed_.notify_all();
}

// What it has in line is for others.
void ThreadEngine::put_back(Run& run) noexcept {
  if (!run.has_jobs()) return;
  const auto [line, lock] = lines_.own();
  while (auto job = run.take_oldest()) line->put_back(std::move(job));
}

bool ThreadEngine::cancel(Job& job, Timeout grace) {
  require_own();
  Announced settled;
  Lock lock(mutex_);
  if (job.ready()) return false;
  withdraw(job);
  const bool cancelled = settle_whole(
      job, Job::Outcome::cancelled,
      std::make_exception_ptr(CancelledError("cannot give a result: task " +
                                             std::to_string(job.id().number) + " was cancelled")),
      settled);
  // What runs of it is dropped when it ends: its outcome is written.
  const Deadline end(grace);
  for_each_frame(lock, [&](Frame& frame) {
    if (!cancelled || &frame.job != &job) return;
    // Of a map what had ended counts; a call that ends just now is cancelled all the same.
    if (job.as_map()) {
      counted_.done += frame.take_kept_items();
    }
    if (!end.is_never()) graces_.push_back({&frame.run, JobRef<Job>::share(&job), end.at()});
  });
  try {
    if (!graces_.empty()) start_watching();
  } catch (const SystemError&) {
    graces_.clear();  // its threads keep their places until they listen
  }
  lock.unlock();
  announce(settled);
  return cancelled;
}

void ThreadEngine::start_watching() {
  deadlines_changed_.notify_all();
  if (watching_) return;
  retain();
  try {
    process::start_own_thread("brood-deadlines", [this] {
      const process::ForeignWork among_workers;
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
void ThreadEngine::leave_deaf_behind(Lock& lock, Clock::time_point now) {
  if (graces_.empty()) return;
  std::vector<std::pair<Run*, Job*>> busy;
  for_each_frame(lock, [&](Frame& frame) { busy.emplace_back(&frame.run, &frame.job); });
  std::erase_if(graces_, [&](const Grace& grace) {
    const std::pair at(grace.run, grace.job.get());
    if (std::find(busy.begin(), busy.end(), at) == busy.end()) return true;
    if (grace.end > now) return false;
    leave_behind(*grace.run, lock);
    return true;
  });
}

// New threads for those that were left behind. Where there is none at all, and none
// can be had, the pool is broken; else the others go on.
void ThreadEngine::fill_up(Lock& lock, Announced& settled) {
  if (ended_.load() || finished_.load()) return;
  try {
    while (runs_.size() < wanted_workers_) start_thread(lock);
  } catch (const std::exception& why) {
    if (!runs_.empty()) return;
    break_pool(std::make_exception_ptr(BrokenPool(
                   std::string("cannot use this pool: no worker can be started: ") + why.what())),
               lock, settled);
  }
  offer_slot(lock);
}

void ThreadEngine::watch_deadlines() noexcept {
  os::block_signals();
  Lock lock(mutex_);
  for (;;) {
    const auto now = Clock::now();
    leave_deaf_behind(lock, now);
    if (ended_.load() || (finished_.load() && graces_.empty())) break;
    auto next = Clock::time_point::max();
    Announced settled;
    for_each_frame(lock, [&](Frame& frame) {
      if (!frame.is_timed() || frame.given_up.load()) return;
      const auto timeout = frame.job.extras_or_null()->timeout.length();
      // An item that begins between two looks is seen at the next: often enough
      // for the shortest timeout that is asked for now.
      next = std::min(next, now + timeout);
      if (!frame.has_open_item()) return;
      const auto end = frame.since() + timeout;
      if (end > now) {
        next = std::min(next, end);
      } else if (frame.take_away()) {
        fail_item(frame.job, frame.item(),
                  std::make_exception_ptr(TaskTimeout(
                      "cannot finish task " + std::to_string(frame.job.id().number) +
                      ": it ran longer than its timeout; its thread goes on, since threads can't "
                      "be killed")));
        give_up(frame, lock, settled);
      }
    });
    fill_up(lock, settled);
    if (!settled.empty()) {
      lock.unlock();
      announce(settled);
      lock.lock();
      continue;
    }
    for (const Grace& grace : graces_) next = std::min(next, grace.end);
    if (next == Clock::time_point::max()) {
      deadlines_changed_.wait(lock);
    } else {
      deadlines_changed_.wait_until(lock, next);
    }
  }
  watching_ = false;
  graces_.clear();
}

// From here on nobody begins a job. Whoever has one in hand settles it himself.
void ThreadEngine::end_pool(Job::Outcome outcome, std::exception_ptr why, Lock& lock,
                            Announced& settled, Dropped& dropped) {
  ended_outcome_ = outcome;
  ended_why_ = std::move(why);
  refuses_.store(true);
  ended_.store(true);
  settle_all(lock, settled, dropped);
  rouse_all();
  changed_.notify_all();
  deadlines_changed_.notify_all();
}

// All that is in line or runs. `dropped` is to go with the lock open: users'
// destructors run then.
void ThreadEngine::settle_all(Lock& lock, Announced& settled, Dropped& dropped) {
  const std::size_t before = dropped.size();
  for (auto* line = lines_.first(); line; line = JobLines::next(*line)) {
    const std::lock_guard in_line(line->mutex);
    while (!line->jobs.empty()) dropped.push_back(line->pop());
    line->count();
  }
  for (const auto& run : all_runs_) {
    while (auto job = run->take_oldest()) dropped.push_back(std::move(job));
  }
  while (!returned_.empty()) {
    dropped.push_back(std::move(returned_.front()));
    returned_.pop_front();
    --returned_count_;
  }
  for (std::size_t i = before; i < dropped.size(); ++i) {
    Job& job = *dropped[i];
    withdraw(job);
    settle_whole(job, ended_outcome_, ended_why_, settled);
  }
  for_each_frame(lock, [&](Frame& frame) {
    withdraw(frame.job);
    settle_whole(frame.job, ended_outcome_, ended_why_, settled);
  });
}

// A job that is to be settled. If it's a call, nobody runs it any more; or its thread has
// noted that it runs it, and notes nothing more but its own end.
void ThreadEngine::withdraw(Job& job) noexcept {
  if (job.as_map() || job.ready()) return;
  if (job.take()) {
    ++withdrawn_;
    return;
  }
  while (!job.ready() && states_.find(job.id()) == JobState::queued) std::this_thread::yield();
}

// Of jobs that are ready by now: see Run::Ending.
void ThreadEngine::wait_for_endings() noexcept {
  for (Run* run = runs_ever_.load(std::memory_order_acquire); run; run = run->next) {
    run->wait_for_ending();
  }
}

void ThreadEngine::settle_ended(Job& job) noexcept {
  Announced settled;
  {
    const std::lock_guard lock(mutex_);
    settle_whole(job, ended_outcome_, ended_why_, settled);
  }
  announce(settled);
}

void ThreadEngine::break_pool(std::exception_ptr why, Lock& lock, Announced& settled) {
  if (broken_ || terminated_) return;
  broken_ = why;
  end_pool(Job::Outcome::failed, std::move(why), lock, settled, dropped_);
}

JobState ThreadEngine::poll(JobId id) {
  require_own();
  wait_for_endings();
  return states_.find(id);
}

void ThreadEngine::close() {
  require_own();
  Lock lock(mutex_);
  closed_ = true;
  refuses_.store(true);
  finish_if_settled(lock);
  deadlines_changed_.notify_all();
}

bool ThreadEngine::join(const Deadline& deadline) {
  require_own();
  {
    Lock lock(mutex_);
    if (!closed_ && !terminated_) {
      throw ValueError("cannot join the pool: it may still get tasks; call close() first");
    }
    const auto over = [&] { return all_settled() && (terminated_ || runs_.empty()); };
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
  Dropped dropped;  // their users' destructors run with the lock open
  {
    Lock lock(mutex_);
    closed_ = true;
    if (!std::exchange(terminated_, true) && !broken_) {
      end_pool(
          Job::Outcome::cancelled,
          std::make_exception_ptr(CancelledError("cannot give a result: its pool ended first")),
          lock, settled, dropped);
    }
    for (auto& job : std::exchange(dropped_, {})) dropped.push_back(std::move(job));
    // Idle threads go at once; those in a task are left behind, and hold the
    // engine until they end.
    changed_.wait(lock, [&] {
      return std::all_of(runs_.begin(), runs_.end(),
                         [](const Run* run) { return run->top.load(); });
    });
  }
  announce(settled);
  callbacks_.drop();
}

void ThreadEngine::resize(std::size_t count) {
  require_own();
  Lock lock(mutex_);
  if (closed_) throw ValueError("cannot resize the pool: it's closed");
  wanted_workers_.store(count);
  while (runs_.size() < count) start_thread(lock);
  offer_slot(lock);
  rouse_all();
}

PoolStats ThreadEngine::stats() {
  require_own();
  wait_for_endings();
  Lock lock(mutex_);
  PoolStats now = counted_;
  // Without the spares, of which there are as many as tasks ever waited at once.
  now.workers = std::max(std::min(runs_.size(), wanted_workers_.load()),
                         runs_.size() - std::min(runs_.size(), most_blocked_));
  std::uint64_t calls = 0;
  for (const auto& run : all_runs_) {
    now.done += run->done.read();
    now.run_time += std::chrono::nanoseconds(run->run_nanoseconds.read());
    now.wait_time += std::chrono::milliseconds(run->wait_milliseconds.read());
    calls += run->begun.read();
  }
  for_each_frame(lock, [&](const Frame& frame) {
    if (frame.job.ready()) return;
    if (frame.job.as_map()) now.done += frame.kept_items();
    if (frame.has_open_item()) ++now.running;
  });
  std::uint64_t submitted = lines_.entered();
  for (const auto& run : all_runs_) submitted += run->submitted.read();
  calls += withdrawn_ + maps_submitted_;
  now.queued = queued_items_ + static_cast<std::size_t>(submitted - std::min(submitted, calls));
  return now;
}

std::size_t ThreadEngine::settled_items(const MapJob& map) {
  require_own();
  Lock lock(mutex_);
  std::size_t items = map.settled_items;
  for_each_frame(lock, [&](const Frame& frame) {
    if (&frame.job == &map) items += frame.kept_items();
  });
  return items;
}

}  // namespace brood::detail
