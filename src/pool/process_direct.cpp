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
#include "pool/job_end.hpp"
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
  Aftermath after;
  {
    const std::lock_guard lock(mutex_);
    const Seat* const idle = choose_idle_worker();
    if (!idle) return false;
    set_id(*job, ids_.enroll(*job, ids));
    ++unsettled_jobs_;
    position = (*idle)->lane.next();
    if (!give_directly(*idle, *job, after)) return true;
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
  const bool is_there = may_look ? spin.until(after.now(), has_news) : has_news();
  if (!is_there) sleep_directly(*job);
  after.know(may_look ? spin.latest() : Clock::time_point{});
  {
    const std::lock_guard lock(mutex_);
    const bool is_all = take_directly(worker, *job, position, after);
    if (!backlog_.empty() || cared_for_.load(std::memory_order_relaxed)) {
      dispatch(after);
    } else if (is_all) {
      return true;
    }
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
bool ProcessEngine::give_directly(const Seat& worker, Job& job, Aftermath& after) {
  // An empty lane takes any; were it not so, wait() would hand it out.
  if (!give_request(worker, job, job.request(0, 1), {0, 1}, Witness::caller, after)) {
    put_in_line_first(job);
    return false;
  }
  worker->lane.let_spin(cpus_ > 1);
  return !job.ready();
}

// Under the lock. True where its answer was the only thing there, and nothing is owed for it.
bool ProcessEngine::take_directly(const Seat& worker, Job& job, std::uint64_t position,
                                  Aftermath& after) {
  lane::ParentEnd& lane = worker->lane;
  if (lane.outstanding() != 1 || lane.oldest() != position) {
    drain(worker, after, &job);
    return false;
  }
  lane::Answer answer;
  if (!lane.take(answer)) return false;
  if (settle_directly(*worker, job, answer, after)) return true;
  take_in(worker, answer, after, &job);
  return false;
}

// What settle_piece would do with it. False where it isn't one value, of a call that nobody
// asks anything of but that. Nobody can wait for it: its caller hasn't got it yet.
bool ProcessEngine::settle_directly(Worker& worker, Job& job, const lane::Answer& answer,
                                    Aftermath& after) {
  Piece& piece = worker.piece(answer.position);
  if (answer.impossible || answer.ended != 1 || answer.trailer != lane::Trailer::none ||
      piece.job.get() != &job || job.ready() || job.extras_or_null() || closed_) {
    return false;
  }
  job.seat = -1;
  const auto run = account_for(piece, answer, after);
  keep(job, 0, 1, answer.values);
  note_call(static_cast<const CallJob&>(job).code(), static_cast<std::uint64_t>(run.count()), true);
  const Job::Outcome outcome = outcome_of(job);
  ids_.strike(job.id(), job, state_of(outcome));
  job.settle_alone(outcome);
  --unsettled_jobs_;
  if (worker.lane.release(answer)) note_large_one(worker, after);
  piece.job.give_up()->release_beside_own();
  return true;
}

}  // namespace brood::detail
