// SPDX-License-Identifier: MIT
//
// How a pool of threads keeps what became of its jobs, and notices that all have settled.
#include <utility>

#include "pool/job_end.hpp"
#include "pool/thread_run.hpp"

namespace brood::detail {

// Counts what the thread has kept of its piece so far.
void ThreadEngine::account(Frame& frame, Announced& settled) {
  Job& job = frame.job;
  const std::size_t kept = frame.take_kept_items();
  if (job.ready()) return;  // withdrawn meanwhile
  counted_.done += kept;
  job.note_kept(kept);
  settle_if_complete(job, settled);
}

void ThreadEngine::fail_item(Job& job, std::size_t item, std::exception_ptr error) {
  if (job.ready()) return;
  job.keep_failure(item, Failure{std::move(error), nullptr, 0, 0});
  job.failed = true;
  job.note_kept(1);
  ++counted_.failed;
}

void ThreadEngine::settle_if_complete(Job& job, Announced& settled) {
  if (!job.is_complete() || job.ready() || !job.begin_settling()) return;
  finish_settling(job, outcome_of(job), settled);
}

// False when another thread has settled it, or does now.
bool ThreadEngine::settle_whole(Job& job, Job::Outcome outcome, std::exception_ptr error,
                                Announced& settled) {
  if (!job.begin_settling()) return false;
  if (MapJob* const map = job.as_map()) {
    queued_items_ -= map->item_count() - std::exchange(map->next_item, map->item_count());
    for (const auto& range : map->returned) queued_items_ -= range.count;
    map->returned.clear();
  }
  job.set_error(std::move(error));
  finish_settling(job, outcome, settled);
  return true;
}

void ThreadEngine::finish_settling(Job& job, Job::Outcome outcome, Announced& settled) {
  states_.note(job.id(), state_of(outcome));
  const JobExtras* const extras = job.extras_or_null();
  const bool calls_back = extras && extras->callbacks;
  if (job.publish(outcome)) settled.push_back(JobRef<Job>::share(&job));
  if (calls_back) callbacks_.post(JobRef<Job>::share(&job));
  ++settled_slowly_;
  if (closed_ && all_settled()) finish();
}

// What has settled is counted before what was submitted, and neither ever shrinks: equal
// sums were equal at the moment between.
bool ThreadEngine::all_settled() const noexcept {
  std::uint64_t settled = settled_slowly_;
  for (const auto& run : all_runs_) settled += run->settled.read();
  std::uint64_t submitted = lines_.entered() + maps_of_nothing_;
  for (const auto& run : all_runs_) submitted += run->submitted.read();
  return settled == submitted;
}

void ThreadEngine::finish_if_settled(Lock&) noexcept {
  if (closed_ && !finished_.load() && all_settled()) finish();
}

void ThreadEngine::finish() noexcept {
  finished_.store(true);
  changed_.notify_all();
  deadlines_changed_.notify_all();
  rouse_all();
}

void ThreadEngine::announce(const Announced& settled) noexcept {
  for (const auto& job : settled) job->announce();
}

}  // namespace brood::detail
