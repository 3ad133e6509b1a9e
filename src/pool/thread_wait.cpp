// SPDX-License-Identifier: MIT
//
// How whoever waits for a job of a pool of threads does that.
#include <chrono>
#include <thread>

#include "os/futex.hpp"
#include "os/spin.hpp"
#include "os/steady_now.hpp"
#include "pool/thread_run.hpp"
#include "process/home.hpp"

namespace brood::detail {

bool ThreadEngine::wait(Job& job, const Deadline& deadline) {
  require_own_of(process::fork_generation());
  Run* const run = own_run();
  if (!run || !run->top.load(std::memory_order_relaxed)) return wait_outside(job, deadline);
  if (deadline.is_never()) help(*run, job);
  return job.ready() || wait_for_others(*run, job, deadline);
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
  return spin.until([&] {
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
