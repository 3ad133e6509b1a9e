// SPDX-License-Identifier: MIT
//
// From a caller into its line. A line is its thread's own, so that one who submits much
// waits for nobody: neither for the others that submit, nor for who moves things on.
//
// Nothing that is put in line is forgotten: whoever holds the lock says that what's in
// line is cared for (cared_for_), and looks at the lines once more before it goes; who
// submits puts its job in line first, and looks then whether it's cared for. One of the
// two sees the other.
#include <string>

#include <brood/base/error.hpp>

#include "os/rough_clock.hpp"
#include "pool/process_core.hpp"

namespace brood::detail {
namespace {

// So long the supervisor lets a torrent gather before it gives: each worker that it wakes
// takes a core for a moment, from who submits as well. Whoever waits gives at once.
constexpr std::chrono::microseconds torrent_pause{100};

}  // namespace

// Under the lock.
void ProcessEngine::require_open() const {
  if (broken_) std::rethrow_exception(broken_);
  if (closed_ || terminated_) {
    throw ValueError("cannot submit a task: the pool is closed; submit before close()");
  }
}

// While there's a line each lane is full, and rings before it's empty. While threads
// wait they look after the lanes, and a look now and then saves a ring.
bool ProcessEngine::is_cared_for() noexcept {
  if (!cared_for_.load(std::memory_order_seq_cst)) return false;
  if (waiting_threads_.load(std::memory_order_relaxed) == 0) return true;
  constexpr unsigned between_looks = 16;
  thread_local unsigned merely_queued = 0;
  return ++merely_queued % between_looks != 0;
}

void ProcessEngine::submit(const JobRef<Job>& job) {
  require_own();
  Aftermath after;
  Line* const line = backlog_.own_line();
  if (!line || job->item_count() == 0 || refuses_.load(std::memory_order_relaxed)) {
    const std::lock_guard lock(mutex_);
    require_open();
    submit_first(job, after);
  } else {
    line->make_room();
    set_id(*job, ids_.enroll(*job, line->ids()));
    job->in_backlog = true;
    const bool behind_others = cared_for_.load(std::memory_order_relaxed);
    if (behind_others) job->position_or_stamp = os::rough_stamp();
    job->retain_unshared();
    line->push(job.get());
    if (is_cared_for() && !refuses_.load(std::memory_order_seq_cst)) return;
    const bool is_torrent = line->is_torrent();
    const std::lock_guard lock(mutex_);
    if (is_torrent && !refuses_.load(std::memory_order_relaxed)) {
      // From now on this thread only puts its jobs in line.
      is_called_ = true;
      set_alarm(Clock::now() + torrent_pause);
      cared_for_.store(true, std::memory_order_seq_cst);
    } else {
      look_after(*job, after);
    }
  }
  carry_out(after);
  if (line) line->note_given();
}

// The thread's first job here, or one of no items.
void ProcessEngine::submit_first(const JobRef<Job>& job, Aftermath& after) {
  if (job->item_count() == 0) {
    set_id(*job, ids_.enroll(*job));
    ++unsettled_jobs_;
    settle_if_complete(*job, after);
    return;
  }
  Line& line = backlog_.make_own_line();
  line.make_room();
  set_id(*job, ids_.enroll(*job, line.ids()));
  job->in_backlog = true;
  job->retain();
  line.push(job.get());
  look_after(*job, after);
}

// A job that was put in line just now. Where the pool was closed in the same instant it
// is run as if it had come before; after the pool's end it's cancelled, as those are
// that were in line.
void ProcessEngine::look_after(Job& job, Aftermath& after) {
  look_in_line();
  if (broken_ || terminated_ || ending_) return settle_too_late(job, after);
  const bool was_alone = !cared_for_.load(std::memory_order_relaxed);
  if (!was_alone || !choose_worker()) drain(after);
  dispatch(after);
  if (job.in_backlog && was_alone) job.position_or_stamp = os::rough_stamp();
}

void ProcessEngine::settle_too_late(Job& job, Aftermath& after) {
  if (broken_) {
    settle_whole(job, Job::Outcome::failed, broken_, after);
  } else {
    settle_whole(job, Job::Outcome::cancelled,
                 std::make_exception_ptr(
                     CancelledError("cannot give a result: the pool was closed before task " +
                                    std::to_string(job.id().number) + " was begun")),
                 after);
  }
  // A job keeps its engine, and must not be kept by it for ever. Others that lie there
  // are settled likewise by those who put them there.
  backlog_.clear();
}

}  // namespace brood::detail
