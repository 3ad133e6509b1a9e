// SPDX-License-Identifier: MIT
//
// How whoever waits for a job of a pool of threads does that.
#include <chrono>
#include <thread>

#include "os/futex.hpp"
#include "os/spin.hpp"
#include "pool/thread_run.hpp"

namespace brood::detail {

bool ThreadEngine::wait(Job& job, const Deadline& deadline) {
  require_own();
  Run* const run = own_run();
  if (!run || !run->top.load(std::memory_order_relaxed)) {
    outside_waiters_.fetch_add(1);
    const bool is_ready = look_for(job, deadline) || sleep_until_ready(job, deadline);
    outside_waiters_.fetch_sub(1);
    return is_ready;
  }
  if (deadline.is_never()) help(*run, job);
  // Most of those that others run are about to end.
  for (int i = 0; i < 256 && !job.ready(); ++i) __builtin_ia32_pause();
  if (job.ready()) return true;
  if (!deadline.is_never() && deadline.at() <= Clock::now()) return false;
  const Gap gap(*run);
  return sleep_until_ready(job, deadline);
}

// From outside of a task: for a moment, as long as that pays. To sleep and be woken takes
// longer than many tasks.
bool ThreadEngine::look_for(const Job& job, const Deadline& deadline) noexcept {
  constinit thread_local os::Spin spin;
  if (os::Spin::is_hurried(deadline)) return false;
  // What stands behind others in line is not worth it.
  for (int i = 0; !job.is_taken(); ++i) {
    if (i == 32) return false;
    __builtin_ia32_pause();
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
