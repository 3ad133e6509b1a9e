// SPDX-License-Identifier: MIT
//
// What a pool is asked besides for results: to withdraw, to tell, to end.
#include <algorithm>
#include <string>

#include <brood/base/error.hpp>

#include "os/child_setup.hpp"
#include "pool/process_core.hpp"
#include "process/home.hpp"

namespace brood::detail {
namespace {

constexpr const char* pool_ended = "cannot give a result: its pool ended first";

// Of a lane's piece, as far as it's known.
std::size_t pending_items(Worker& worker, std::uint64_t at) noexcept {
  const Piece& piece = worker.piece(at);
  const auto is_pending = [](const JobRef<Job>& job) { return job && !job->ready(); };
  if (!piece.is_bundle) return is_pending(piece.job) ? piece.count : 0;
  const auto jobs = worker.jobs(at);
  return static_cast<std::size_t>(std::count_if(jobs.begin(), jobs.end(), is_pending));
}

}  // namespace

void ProcessEngine::progress() {
  require_own();
  Aftermath after;
  {
    const std::lock_guard lock(mutex_);
    drain(after);
    dispatch(after);
  }
  carry_out(after);
}

// visit(worker, position, which of those that share the slot)
template <typename Visit>
void ProcessEngine::for_each_piece_of(const Job& job, const Visit& visit) const {
  for (const Seat& worker : workers_) {
    if (!job.as_map() && job.seat != static_cast<std::int32_t>(worker->id)) continue;
    for (auto at = worker->lane.oldest(); at < worker->lane.next(); ++at) {
      const auto jobs = worker->jobs(at);
      for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (jobs[i].get() != &job) continue;
        visit(worker, at, i);
        break;  // which may have moved them
      }
    }
  }
}

bool ProcessEngine::cancel(Job& job, Timeout grace) {
  require_own();
  Aftermath after;
  {
    const std::lock_guard lock(mutex_);
    drain(after);
    if (!job.ready()) {
      settle_whole(
          job, Job::Outcome::cancelled,
          std::make_exception_ptr(CancelledError(
              "cannot give a result: task " + std::to_string(job.id().number) + " was cancelled")),
          after);
      for_each_piece_of(job, [&](const Seat& worker, std::uint64_t at, std::size_t) {
        withdraw(worker, at, grace, after);
      });
      dispatch(after);
    } else {
      carry_out(after);
      return false;
    }
  }
  carry_out(after);
  return true;
}

void ProcessEngine::listen(Job& job) noexcept {
  if (!is_own()) return;
  bool done_already = false;
  {
    const std::lock_guard lock(mutex_);
    job.listened = true;
    for_each_piece_of(job, [&](const Seat& worker, std::uint64_t at, std::size_t) {
      done_already |= !worker->lane.set_bell(at);
    });
  }
  if (done_already) bell_.ring();
}

JobState ProcessEngine::poll(JobId id) {
  progress();
  const std::lock_guard lock(mutex_);
  const IdTable::Found found = ids_.find(id);
  if (!found.pending) return found.state;
  bool runs = found.pending->kept_items() != 0;
  for_each_piece_of(*found.pending, [&](const Seat& worker, std::uint64_t at, std::size_t place) {
    // Of those that share a slot, one after another.
    runs |= worker->lane.is_claimed(at) && (place == 0 || worker->lane.begun(at) > place);
  });
  return runs ? JobState::running : JobState::queued;
}

void ProcessEngine::resume_later(const JobRef<Job>& job, std::coroutine_handle<> waiting) {
  callbacks_.post_resumption(job, waiting);
}

std::size_t ProcessEngine::settled_items(const MapJob& map) {
  require_own();
  const std::lock_guard lock(mutex_);
  return map.settled_items;
}

void ProcessEngine::close() {
  require_own();
  const std::lock_guard lock(mutex_);
  closed_ = true;
  refuses_.store(true, std::memory_order_seq_cst);
  look_in_line();
  bell_.ring();
}

bool ProcessEngine::join(const Deadline& deadline) {
  require_own();
  {
    std::unique_lock lock(mutex_);
    if (!closed_ && !terminated_) {
      throw ValueError("cannot join the pool: it may still get tasks; call close() first");
    }
    // The supervisor is done when the last worker is gone.
    if (deadline.is_never()) {
      supervisor_ended_.wait(lock, [&] { return supervisor_done_; });
    } else if (!supervisor_ended_.wait_until(lock, deadline.at(),
                                             [&] { return supervisor_done_; })) {
      return false;
    }
  }
  if (!callbacks_.finish(deadline)) return false;
  const std::lock_guard lock(ending_mutex_);
  if (supervisor_.joinable()) supervisor_.join();
  return true;
}

void ProcessEngine::terminate() noexcept {
  if (!is_own()) return;
  Aftermath after;
  {
    const std::lock_guard lock(mutex_);
    if (!terminated_) {
      drain(after);
      terminated_ = closed_ = true;
      refuses_.store(true, std::memory_order_seq_cst);
      look_in_line();
      cancel_everything(pool_ended, after);
      for (const Seat& worker : workers_) after.rare().kill.push_back(worker);
    }
  }
  carry_out(after);
  bell_.ring();
  callbacks_.drop();
  {
    std::unique_lock lock(mutex_);
    supervisor_ended_.wait(lock, [&] { return supervisor_done_; });
  }
  const std::lock_guard lock(ending_mutex_);
  if (supervisor_.joinable()) supervisor_.join();
}

void ProcessEngine::resize(std::size_t count) {
  require_own();
  const std::lock_guard lock(mutex_);
  if (closed_) throw ValueError("cannot resize the pool: it's closed");
  wanted_workers_ = count;
  bell_.ring();
}

PoolStats ProcessEngine::stats() {
  progress();
  const std::lock_guard lock(mutex_);
  PoolStats now = counted_;
  now.wait_time = std::max(now.wait_time, Clock::duration{0});  // the rough clock is late
  for (const Seat& worker : workers_) {
    if (worker->phase == Worker::Phase::working) ++now.workers;
    for (auto at = worker->lane.oldest(); at < worker->lane.next(); ++at) {
      const std::size_t items = pending_items(*worker, at);
      const std::size_t running = items != 0 && worker->lane.is_claimed(at) ? 1 : 0;
      now.running += running;
      now.queued += items - running;
    }
  }
  backlog_.for_each([&](Job& job) {
    const MapJob* const map = job.as_map();
    if (job.ready()) return;
    now.queued += map ? map->item_count() - map->next_item : 1;
    if (!map) return;
    for (const auto& range : map->returned) now.queued += range.count;
  });
  return now;
}

}  // namespace brood::detail
