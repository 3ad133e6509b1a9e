// SPDX-License-Identifier: MIT
//
// How whoever waits for a job of a pool of threads does that.
#include <chrono>
#include <thread>
#include <utility>

#include "os/futex.hpp"
#include "os/rough_clock.hpp"
#include "os/spin.hpp"
#include "os/steady_now.hpp"
#include "pool/thread_run.hpp"
#include "process/home.hpp"

namespace brood::detail {

// A task waits for this job: it runs what nobody has begun of it. Nothing else, which
// might want what the task holds; and nothing with a deadline, which the task could not
// leave.
inline void ThreadEngine::help(Run& run, Job& job) noexcept {
  if (has_timeout(job)) return;
  if (MapJob* const map = job.as_map()) return help_map(run, *map);
  if (job.is_taken()) return;
  const auto withdrawn = run.deque.withdraw(job);
  run_call(run, job, os::rough_stamp());
  if (withdrawn == JobDeque::Withdrawn::taken) {
    job.release_beside_own();  // that of the line; the caller has one
  } else if (withdrawn == JobDeque::Withdrawn::not_found) {
    ++run.passed_over;
  }
  if (run.passed_over != 0 || run.deque.ends_with_passed_over()) drop_passed_over(run);
}

bool ThreadEngine::wait(Job& job, const Deadline& deadline) {
  require_own_of(process::fork_generation());
  Run* const run = own_run();
  if (!run || !run->top.load(std::memory_order_relaxed)) return wait_outside(job, deadline);
  if (deadline.is_never()) help(*run, job);
  return job.ready() || wait_for_others(*run, job, deadline);
}

void ThreadEngine::help_map(Run& run, MapJob& map) noexcept {
  Lock lock(mutex_);
  while (!ended_.load()) {
    const Piece piece = take_piece(map);
    if (piece.count == 0) return;
    run_piece(run, map, piece, lock);
    lock.lock();
  }
}

// What tasks ran out of turn is not to pile up.
void ThreadEngine::drop_passed_over(Run& run) noexcept {
  for (;;) {
    while (run.deque.ends_with_passed_over()) JobRef<Job>::adopt(run.deque.pop());
    if (run.passed_over == 0) return;
    auto newest = JobRef<Job>::adopt(run.deque.pop());
    if (newest && !newest->is_taken()) {
      run.deque.push(std::move(newest));
      return wake(1);  // nobody could see it meanwhile
    }
    run.passed_over = newest ? run.passed_over - 1 : 0;
  }
}

bool ThreadEngine::wait_outside(Job& job, const Deadline& deadline) {
  constinit thread_local os::Spin spin;
  outside_waiters_.fetch_add(1);
  bool is_ready = look_for(job, deadline, spin);
  if (!is_ready) {
    const auto since = os::steady_now();
    is_ready = sleep_until_ready(job, deadline);
    spin.learn(os::steady_now() - since);
  }
  outside_waiters_.fetch_sub(1);
  return is_ready;
}

bool ThreadEngine::wait_for_others(Run& run, Job& job, const Deadline& deadline) {
  // Most of those that others run are about to end.
  for (int i = 0; i < 256 && !job.ready(); ++i) __builtin_ia32_pause();
  if (job.ready()) return true;
  if (!deadline.is_never() && deadline.at() <= Clock::now()) return false;
  const Gap gap(run);
  return sleep_until_ready(job, deadline);
}

// From outside of a task: for a moment, as long as that pays. To sleep and be woken takes
// longer than many tasks.
bool ThreadEngine::look_for(const Job& job, const Deadline& deadline, os::Spin& spin) noexcept {
  if (os::Spin::is_hurried(deadline)) return false;
  // What stands behind others in line is not worth it. A thread that looks for work takes it
  // soon.
  constexpr int pauses = 32;
  constexpr int turns = 16;
  for (int i = 0; !job.is_taken(); ++i) {
    if (i < pauses) {
      __builtin_ia32_pause();
    } else if (i < pauses + turns && spinners_.load(std::memory_order_relaxed) != 0) {
      std::this_thread::yield();
    } else {
      // Who looks may not get the core for it.
      if (spinners_.load() != 0 && sleepers_.load() != 0) rouse(1);
      return false;
    }
  }
  return spin.until_giving_way([&] {
    // A thread of the pool may need the core.
    std::this_thread::yield();
    return job.ready();
  });
}

bool ThreadEngine::sleep_until_ready(Job& job, const Deadline& deadline) {
  for (;;) {
    const auto sleeping_on = job.mark_waiter();
    if (!sleeping_on) return true;
    if (!os::futex_wait_private(job.word(), *sleeping_on, deadline)) return job.ready();
  }
}

}  // namespace brood::detail
