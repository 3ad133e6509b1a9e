// SPDX-License-Identifier: MIT
//
// From lanes to outcomes. Everything here runs under the engine's lock, and
// moves bytes only: no user code, nothing decoded.
#include <algorithm>
#include <exception>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <utility>

#include <brood/base/error.hpp>

#include "os/rough_clock.hpp"
#include "pool/end_of_task.hpp"
#include "pool/job_end.hpp"
#include "pool/process_core.hpp"

namespace brood::detail {
namespace {

// Of any size: where there's no memory for it, that is the failure.
Failure failure_of(std::span<const std::byte> record, int pid) {
  Failure failure;
  try {
    failure.record = std::make_unique<std::byte[]>(record.size());
    std::copy(record.begin(), record.end(), failure.record.get());
    failure.record_size = record.size();
    failure.worker_pid = pid;
  } catch (const std::bad_alloc&) {
    failure.error = std::current_exception();
  }
  return failure;
}

}  // namespace

void ProcessEngine::drain(Aftermath& after) {
  look_in_line();
  for (const Seat& worker : workers_) drain(worker, after);
}

// `held`: a job that the caller holds on to.
void ProcessEngine::drain(const Seat& worker, Aftermath& after, const Job* held) {
  bool any = false;
  while (worker->lane.outstanding() != 0) {
    lane::Answer answer;
    if (!worker->lane.take(answer)) break;
    any = true;
    if (!take_in(worker, answer, after, held)) return;
  }
  if (any) adapt_depth(*worker);
}

// What was just taken out of its lane. False where its worker is to be killed.
bool ProcessEngine::take_in(const Seat& worker, lane::Answer& answer, Aftermath& after,
                            const Job* held) {
  if (answer.impossible) {
    // It has scribbled over its lane; nothing else there is believed either.
    worker->phase = Worker::Phase::doomed;
    after.rare().kill.push_back(worker);
    return false;
  }
  Piece piece = std::move(worker->piece(answer.position));
  settle(*worker, piece, answer, after);
  if (worker->lane.release(answer)) note_large_one(*worker, after);
  if (piece.job && piece.job.get() == held) piece.job.give_up()->release_beside_own();
  return true;
}

// What its request or its answer lay in is kept for the next one.
void ProcessEngine::note_large_one(Worker& worker, Aftermath& after) {
  worker.large_request = latest_large_ = after.now();
  keeps_blocks_ = true;
  set_alarm(after.now() + unused_memory_patience);
}

// Each item has waited since its submission, and for those before it in its piece.
void ProcessEngine::count_waiting(const Piece& piece, const lane::Answer& answer,
                                  Clock::duration run, Aftermath& after) {
  const os::RoughStamp stamp = piece.in_line_since;
  const Clock::duration waited = (stamp == 0 ? after.now() - piece.given : os::since(stamp)) - run;
  const auto items = static_cast<Clock::rep>(
      std::max<std::size_t>(answer.ended + (answer.trailer == lane::Trailer::none ? 0 : 1), 1));
  counted_.wait_time += waited * items + run * (items - 1) / 2;
}

void ProcessEngine::settle(Worker& worker, const Piece& piece, lane::Answer& answer,
                           Aftermath& after) {
  if (piece.is_bundle) {
    settle_bundle(worker, piece, answer, after);
  } else if (piece.job) {
    settle_piece(worker, piece, answer, after);
  }
}

// What it took, by the worker's own word or by when it began, which can't be longer than it
// was away.
std::chrono::nanoseconds ProcessEngine::account_for(const Piece& piece, const lane::Answer& answer,
                                                    Aftermath& after) {
  const Clock::duration took = after.now() - piece.given;
  const auto most = static_cast<std::uint64_t>(std::max(took, Clock::duration{0}).count());
  std::uint64_t told = answer.run_nanoseconds;
  if (told == lane::untold) {
    // Unsigned, since a lane that was written over says anything.
    const std::int64_t now = Clock::duration(after.now().time_since_epoch()).count();
    told = static_cast<std::uint64_t>(now) - static_cast<std::uint64_t>(answer.began);
  }
  const auto run = std::chrono::nanoseconds(std::min(told, most));
  counted_.run_time += run;
  count_waiting(piece, answer, run, after);
  piece_nanoseconds_ = 0.75 * piece_nanoseconds_ + 0.25 * static_cast<double>(run.count());
  return run;
}

void ProcessEngine::settle_piece(Worker& worker, const Piece& piece, lane::Answer& answer,
                                 Aftermath& after) {
  Job& job = *piece.job;
  const JobExtras* const extras = job.extras_or_null();
  if (extras && !extras->timeout.is_forever()) --worker.timed_pieces;
  job.seat = -1;
  const auto run = account_for(piece, answer, after);
  if (job.ready()) return;  // withdrawn meanwhile

  std::size_t settled = answer.ended;
  keep(job, piece.first, settled, answer.values);
  const bool is_whole = settled == piece.count;
  if (!is_whole && settle_trailer(worker, job, piece.first + settled, answer)) ++settled;
  MapJob* const map = job.as_map();
  if (map && settled != 0) {
    map->item_nanoseconds = static_cast<double>(run.count()) / static_cast<double>(settled) + 0.1;
  }
  if (!map) {
    note_call(static_cast<const CallJob&>(job).code(), static_cast<std::uint64_t>(run.count()),
              answer.ended == 1);
  }
  if (!is_whole) give_back(piece, settled);
  settle_if_complete(job, after);
}

// The item behind those that have their values in the lane. Whether it has settled.
bool ProcessEngine::settle_trailer(Worker& worker, Job& job, std::size_t item,
                                   const lane::Answer& answer) {
  if (answer.unreadable) {
    fail_item(job, item, Failure{answer.unreadable, nullptr, 0, 0});
  } else if (answer.trailer == lane::Trailer::value) {
    keep_trailer(worker, job, item, answer);
  } else if (answer.trailer == lane::Trailer::exception) {
    fail_item(job, item, failure_of(answer.trailer_bytes, worker.child.pid));
  } else {
    return false;
  }
  return true;
}

void ProcessEngine::keep(Job& job, std::size_t first, std::size_t count,
                         std::span<const std::byte> values) {
  if (count == 0) return;
  keep_or_fail(job, first, count, [&] { job.keep(first, count, values); });
}

template <typename Keep>
void ProcessEngine::keep_or_fail(Job& job, std::size_t first, std::size_t count, const Keep& keep) {
  try {
    keep();
    job.note_kept(count);
    counted_.done += count;
  } catch (...) {
    // No memory for the answer, or an answer of the wrong size.
    fail_items(job, first, count);
  }
}

void ProcessEngine::keep_trailer(Worker& worker, Job& job, std::size_t item,
                                 const lane::Answer& answer) {
  const std::span<const std::byte> bytes = answer.trailer_bytes;
  if (!answer.outside && !answer.is_passing) return keep(job, item, 1, bytes);
  keep_or_fail(job, item, 1, [&] {
    if (answer.outside)
      return job.keep_outside(item, {answer.outside, bytes.size(), answer.enclosed});
    if (job.keep_passing(item, bytes)) return;
    job.keep_outside(item, {worker.lane.lasting_copy(answer), bytes.size()});
  });
}

void ProcessEngine::fail_item(Job& job, std::size_t item, Failure failure) {
  job.keep_failure(item, std::move(failure));
  ++counted_.failed;
  job.failed = true;
  job.note_kept(1);
}

// Of the exception that is being handled.
void ProcessEngine::fail_items(Job& job, std::size_t first, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    fail_item(job, first + i, Failure{std::current_exception(), nullptr, 0, 0});
  }
}

// The items of a piece that were not run, behind those that have settled: they go
// first, elsewhere.
void ProcessEngine::give_back(const Piece& piece, std::size_t settled) {
  Job& job = *piece.job;
  if (job.ready() || settled == piece.count) return;
  if (MapJob* const map = job.as_map()) {
    map->returned.push_back({piece.first + settled, piece.count - settled});
  } else {
    job.position_or_stamp = piece.in_line_since;
  }
  put_in_line_first(job);
}

void ProcessEngine::settle_if_complete(Job& job, Aftermath& after) {
  if (!job.is_complete() || job.ready()) return;
  finish_settling(job, outcome_of(job), after);
}

void ProcessEngine::settle_whole(Job& job, Job::Outcome outcome, std::exception_ptr error,
                                 Aftermath& after) {
  if (job.ready()) return;
  job.set_error(std::move(error));
  finish_settling(job, outcome, after);
}

void ProcessEngine::finish_settling(Job& job, Job::Outcome outcome, Aftermath& after) {
  ids_.strike(job.id(), job, state_of(outcome));
  const JobExtras* const extras = job.extras_or_null();
  const bool calls_back = extras && extras->callbacks;
  if (job.settle(outcome)) after.announce.push_back(JobRef<Job>::share(&job));
  if (calls_back) callbacks_.post(JobRef<Job>::share(&job));
  if (--unsettled_jobs_ != 0) return;
  // The workers can go, and it's the supervisor who sends them.
  if (closed_) after.ring = true;
}

// A worker has died: what it had finished counts, the item that it had begun
// failed, and the rest goes elsewhere.
void ProcessEngine::bury(const Seat& worker, const os::ExitStatus& how, Aftermath& after) {
  const std::uint64_t first = worker->lane.oldest();
  if (worker->phase == Worker::Phase::overdue) time_out(worker, after);
  if (worker->lane.is_scribbled()) worker->lane.call_scribbled();
  drain(worker, after);
  while (auto answer = worker->lane.take_dead()) {
    Piece piece = std::move(worker->piece(answer->position));
    if (answer->done && !answer->impossible) {
      settle(*worker, piece, *answer, after);
    } else if (piece.is_bundle) {
      settle_crashed_bundle(*worker, piece, *answer, how, after);
    } else if (piece.job) {
      settle_crashed(*worker, piece, *answer, how, after);
    }
    if (worker->lane.release(*answer)) note_large_one(*worker, after);
  }
  // It may have died between `done` and the wake that it owed; that task is the
  // oldest one, or was taken out just before.
  worker->lane.wake_waiters(first - 1);
  // Whoever still goes to sleep on one of its slots must see it changed.
  for (std::uint64_t position = first; position <= worker->lane.newest(); ++position) {
    worker->lane.abandon(position);
  }
}

void ProcessEngine::settle_crashed(Worker& worker, const Piece& piece, lane::Answer& answer,
                                   const os::ExitStatus& how, Aftermath& after) {
  Job& job = *piece.job;
  job.seat = -1;
  after.moved.push_back(piece.job);
  if (job.ready()) return;
  const bool crashed = is_crashed(answer);
  keep(job, piece.first, answer.ended, answer.values);
  std::size_t settled = answer.ended;
  if (crashed && settled < piece.count && settle_crash(worker, job, piece.first + settled, how)) {
    ++settled;
  }
  give_back(piece, settled);
  settle_if_complete(job, after);
}

// Whether the worker died at the item behind those that have ended. Where nothing there
// is to be believed, at the first.
bool ProcessEngine::is_crashed(lane::Answer& answer) noexcept {
  if (answer.impossible) {
    answer.begun = 1;
    answer.ended = 0;
  }
  return answer.begun > answer.ended || (answer.claimed && answer.ended == 0);
}

// False where it's to be tried again.
bool ProcessEngine::settle_crash(const Worker& worker, Job& job, std::size_t item,
                                 const os::ExitStatus& how) {
  ++counted_.crashed;
  if (try_again(job, item)) return false;
  const bool scribbled = worker.lane.is_scribbled();
  const auto cause = scribbled ? CrashCause::scribbling : CrashCause::its_own;
  os::CrashNotes notes;
  if (!scribbled) notes = os::read_notes(worker.lane.crash_record());
  const MemoryEnd memory = memory_end_of(worker, how, notes);
  fail_item(job, item,
            Failure{crash_of(job, item, worker.child.pid, how, std::move(notes), cause, memory),
                    nullptr, 0, 0});
  return true;
}

MemoryEnd ProcessEngine::memory_end_of(const Worker& worker, const os::ExitStatus& how,
                                       const os::CrashNotes& notes) {
  return memory_.end_of(worker.memory ? &*worker.memory : nullptr, how, notes);
}

// Whether the item may be begun once more after its worker crashed.
bool ProcessEngine::try_again(Job& job, std::size_t item) {
  const JobExtras* const extras = job.extras_or_null();
  if (!extras || extras->retries <= 0) return false;
  return ++job.extras().crashes[item] <= extras->retries;
}

// Takes a piece of a settled job back: queued, it's gone; running, it's asked to
// stop and its worker killed after the grace.
void ProcessEngine::withdraw(const Seat& worker, std::uint64_t position, Timeout grace,
                             Aftermath& after) {
  Piece& piece = worker->piece(position);
  if (piece.is_bundle) return withdraw_bundled(worker, position, grace, after);
  if (worker->lane.revoke(position)) {
    const JobExtras* const extras = piece.job->extras_or_null();
    if (extras && !extras->timeout.is_forever()) --worker->timed_pieces;
    // It will not be run, so it does not count towards the worker's last one.
    worker->given_items -= piece.count;
    piece.job = {};
    worker->lane.wake_waiters(position);
    return;
  }
  ask_to_stop(worker, position, grace);
}

void ProcessEngine::ask_to_stop(const Seat& worker, std::uint64_t position, Timeout grace) {
  worker->lane.ask_to_stop(position);
  const Deadline end(grace);
  if (end.is_never()) return;
  graces_.push_back({worker, position, end.at()});
  set_alarm(end.at());
}

void ProcessEngine::cancel_everything(const char* why, Aftermath& after) {
  const auto error = std::make_exception_ptr(CancelledError(why));
  auto cancel = [&](Job& job) { settle_whole(job, Job::Outcome::cancelled, error, after); };
  backlog_.for_each(cancel);
  backlog_.for_each([](Job& job) { job.in_backlog = false; });
  backlog_.clear();
  for (const Seat& worker : workers_) worker->for_each_job(cancel);
}

void ProcessEngine::break_pool(std::exception_ptr why, Aftermath& after) {
  if (broken_) return;
  broken_ = why;
  refuses_.store(true, std::memory_order_seq_cst);
  look_in_line();
  backlog_.for_each([&](Job& job) {
    job.in_backlog = false;
    settle_whole(job, Job::Outcome::failed, why, after);
  });
  backlog_.clear();
  for (const Seat& worker : workers_) {
    worker->for_each_job([&](Job& job) { settle_whole(job, Job::Outcome::failed, why, after); });
    worker->lane.close();
  }
}

}  // namespace brood::detail
