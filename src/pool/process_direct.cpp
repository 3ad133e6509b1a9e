// SPDX-License-Identifier: MIT
//
// A call whose caller waits for it, with nobody before it: from its caller straight to an
// idle worker and back. It passes the lines by and looks at one lane only, for a third
// fewer instructions (docs/investigations/submission.md).
//
// To all others it's a call that was submitted and handed out in one instant: it lies in a
// piece of a lane, and is drained, buried, tried again, cancelled or timed out as any other.
// And where its answer isn't there after one look or one sleep, its caller waits on as any
// other.
#include <mutex>

#include "os/futex.hpp"
#include "os/spin.hpp"
#include "pool/process_core.hpp"

namespace brood::detail {

os::Spin& ProcessEngine::own_spin() noexcept {
  constinit thread_local os::Spin spin;
  return spin;
}

void ProcessEngine::run(const JobRef<Job>& job) {
  require_own();
  Line* const line = backlog_.own_line();
  if (!line || !run_directly(job, line->ids())) submit(job);
  if (!job->ready()) wait(*job, Deadline());
}

// False where it has to be submitted as others are.
bool ProcessEngine::run_directly(const JobRef<Job>& job, NumberRange& ids) {
  Seat worker;
  std::uint64_t position = 0;
  bool may_look = false;
  Clock::time_point given;
  {
    const std::lock_guard lock(mutex_);
    const Seat* const idle = choose_idle_worker();
    if (!idle) return false;
    set_id(*job, ids_.enroll(*job, ids));
    ++unsettled_jobs_;
    position = (*idle)->lane.next();
    Aftermath nothing;
    if (!give_directly(*idle, *job, nothing)) return true;
    given = nothing.now();
    worker = *idle;
    // Who looks must not take the place of who works.
    const auto its = worker->lane.neighbour();
    may_look = its != lane::ParentEnd::Neighbour::here && has_idle_core();
    if (its == lane::ParentEnd::Neighbour::gone_elsewhere) own_spin().hope();
  }
  worker->lane.wake();
  const auto has_news = [&] { return job->ready() || !worker->lane.is_open(position); };
  // Where both share a core the worker may have had it at once, and be done.
  os::Spin& spin = own_spin();
  const bool is_there = may_look ? spin.until(given, has_news) : has_news();
  if (!is_there) sleep_directly(*job);
  Aftermath after;
  if (const auto seen = spin.latest(); seen && may_look) after.know(*seen);
  {
    const std::lock_guard lock(mutex_);
    drain(worker, after, job.get());
    if (!backlog_.empty() || cared_for_.load(std::memory_order_relaxed)) dispatch(after);
  }
  carry_out(after);
  return true;
}

// Until there's news of the job, or of nothing.
void ProcessEngine::sleep_directly(Job& job) {
  if (!os::has_futex_wait_any()) return;
  Outlook found;
  {
    const std::lock_guard lock(mutex_);
    if (!outlook(job, Intent::sleep, Role::guest, found)) return;
  }
  os::futex_wait_any(found.places.data(), static_cast<unsigned>(found.places.size()), Deadline());
}

// Under the lock. Who is in line comes first.
const ProcessEngine::Seat* ProcessEngine::choose_idle_worker() {
  if (refuses_.load(std::memory_order_relaxed) || !backlog_.empty() ||
      cared_for_.load(std::memory_order_relaxed)) {
    return nullptr;
  }
  const Seat* const worker = choose_worker();
  return worker && (*worker)->lane.outstanding() == 0 ? worker : nullptr;
}

// Under the lock. False where it can't be sent. Nobody knows of the job yet, so that nothing
// is owed afterwards but a wake.
bool ProcessEngine::give_directly(const Seat& worker, Job& job, Aftermath& nothing) {
  // An empty lane takes any; were it not so, wait() would hand it out.
  if (!give_piece(worker, job, nothing)) {
    put_in_line_first(job);
    return false;
  }
  worker->lane.let_spin(cpus_ > 1);
  return !job.ready();
}

}  // namespace brood::detail
