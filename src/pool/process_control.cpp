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
      for (const Seat& worker : workers_) {
        for (auto at = worker->lane.oldest(); at <= worker->lane.newest(); ++at) {
          if (worker->piece(at).job.get() == &job) withdraw(worker, at, grace);
        }
      }
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
    for (const Seat& worker : workers_) {
      for (auto at = worker->lane.oldest(); at <= worker->lane.newest(); ++at) {
        if (worker->piece(at).job.get() == &job) done_already |= !worker->lane.set_bell(at);
      }
    }
  }
  if (done_already) bell_.ring();
}

JobState ProcessEngine::poll(JobId id) {
  progress();
  const std::lock_guard lock(mutex_);
  const IdTable::Found found = ids_.find(id);
  if (!found.pending) return found.state;
  for (const Seat& worker : workers_) {
    for (auto at = worker->lane.oldest(); at <= worker->lane.newest(); ++at) {
      if (worker->piece(at).job.get() == found.pending && worker->lane.is_claimed(at)) {
        return JobState::running;
      }
    }
  }
  return found.pending->kept_items() != 0 ? JobState::running : JobState::queued;
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
      settled_.wait(lock, [&] { return supervisor_done_; });
    } else if (!settled_.wait_until(lock, deadline.at(), [&] { return supervisor_done_; })) {
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
    settled_.wait(lock, [&] { return supervisor_done_; });
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
    for (auto at = worker->lane.oldest(); at <= worker->lane.newest(); ++at) {
      const Piece& piece = worker->piece(at);
      if (!piece.job || piece.job->ready()) continue;
      if (worker->lane.is_claimed(at)) {
        now.running += 1;
        now.queued += piece.count - 1;
      } else {
        now.queued += piece.count;
      }
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
