// SPDX-License-Identifier: MIT
//
// Small calls that share a slot. One call's slot takes four cache lines to its worker and
// back, which costs more than an empty call does; so where a line of calls of one function
// waits, several go together, as many as are done while a sleeping worker would wake.
//
// To those that wait for them they are apart all the same: each settles with its own value,
// exception or crash; and where one of them lasts, the bundle is cut (ParentEnd::cut), so
// that those behind it go elsewhere and those before it settle. Then its worker is left
// with one call, and it's stopped, killed or waited for as any other.
//
// Everything here runs under the engine's lock.
#include <algorithm>
#include <array>
#include <utility>

#include "pool/process_core.hpp"

namespace brood::detail {
namespace {

using namespace std::chrono_literals;

// So long a bundle may be at one call before it's cut.
constexpr auto patience = 1ms;
// Beside what is usual, for an answer that is a bit larger.
constexpr std::size_t spare_room = 8;

// Nothing is to be known of it but its value: no deadline, callback or count of crashes,
// and nobody hears of it by the bell of its slot.
bool may_share(const Job& job) noexcept {
  return !job.as_map() && !job.ready() && !job.listened && !job.extras_or_null();
}

}  // namespace

// How many calls may go together from this one on; one where a worker's memory is limited,
// which is looked at between tasks. What throws ends its bundle early, so that where
// this happens often calls go alone.
std::size_t ProcessEngine::bundle_size(const Job& first) const noexcept {
  constexpr std::size_t undisturbed_for_one_more = 16;
  if (backlog_.size() == 1 || charter_.memory_limit != 0) return 1;
  if (!may_share(first)) return 1;
  const auto& code = static_cast<const CallJob&>(first).code();
  const std::uint32_t each = code.usual_time.load(std::memory_order_relaxed);
  if (each == 0) return 1;
  const std::size_t proven = 1 + undisturbed_ / undisturbed_for_one_more;
  return std::clamp<std::size_t>(static_cast<std::size_t>(wake_nanoseconds) / each, 1,
                                 std::min(lane::most_bundled, proven));
}

void ProcessEngine::note_call(const WorkerCode& code, std::uint64_t nanoseconds,
                              bool undisturbed) noexcept {
  code.note_time(nanoseconds);
  undisturbed_ = undisturbed ? undisturbed_ + 1 : 0;
}

// The first ones in line, as far as they are calls of one function and fit. False where
// the first has to go alone. Requires: the worker's lane has a free slot.
bool ProcessEngine::give_bundle(const Seat& worker, std::size_t most, Aftermath& after) {
  const std::uint64_t position = worker->lane.next();
  if (worker->bundled.empty()) {
    // For all at once, so that what is kept is there from the first bundle on.
    for (const Seat& each : workers_) each->have_room_for_bundles();
    if (worker->bundled.empty()) return false;
  }
  const auto jobs = worker->bundle(position, lane::most_bundled);
  std::array<lane::BundledRequest, lane::most_bundled> calls;
  if (most_items_ != 0) most = std::min<std::size_t>(most, most_items_ - worker->given_items);
  std::size_t room = lane::inline_size;
  std::size_t count = 0;
  Thunk thunk = nullptr;
  std::uint32_t in_line_since = 0;
  while (count < most && !backlog_.empty()) {
    Job& job = backlog_.front();
    if (!may_share(job)) break;
    const Request request = job.request(0, 1);
    if (thunk && request.thunk != thunk) break;
    const auto& code = static_cast<const CallJob&>(job).code();
    const std::size_t answer = code.usual_answer.load(std::memory_order_relaxed) + spare_room;
    const std::size_t needed = lane::bundled_size(request.callable.size(), answer);
    if (needed > room) break;
    room -= needed;
    backlog_.prefetch_soon();
    thunk = request.thunk;
    if (count == 0) in_line_since = job.position_or_stamp;
    calls[count] = {job.id().number, request.callable};
    job.position_or_stamp = static_cast<std::uint32_t>(position);
    job.seat = static_cast<std::int32_t>(worker->id);
    if (job.has_waiters()) after.moved.push_back(JobRef<Job>::share(&job));
    jobs[count++] = hold(job);
  }
  if (count == 0) return false;
  worker->lane.give_bundle(wire::locate(reinterpret_cast<const void*>(thunk)),
                           std::span(calls).first(count));
  Piece& piece = worker->piece(position);
  piece.job = {};
  piece.is_bundle = true;
  piece.is_cut = false;
  piece.in_line_since = in_line_since;
  piece.first = 0;
  piece.count = static_cast<std::uint32_t>(count);
  piece.given = after.now();
  worker->given_items += count;
  ++worker->open_bundles;
  after.wake.add(worker);
  set_alarm(piece.given + patience);
  return true;
}

// Those that have their values, each of its own.
void ProcessEngine::settle_ended(std::span<JobRef<Job>> jobs, const lane::Answer& answer,
                                 Aftermath& after) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < answer.ended; ++i) {
    const std::size_t end = answer.value_ends[i];
    const auto value = answer.values.subspan(begin, end - begin);
    begin = end;
    const JobRef<Job> job = std::move(jobs[i]);
    if (!job) continue;
    job->seat = -1;
    if (job->ready()) continue;  // withdrawn meanwhile
    keep(*job, 0, 1, value);
    settle_if_complete(*job, after);
  }
}

// To the head of the line, in their order.
void ProcessEngine::take_back(std::span<JobRef<Job>> jobs, const Piece& piece, Aftermath& after) {
  for (std::size_t i = jobs.size(); i-- != 0;) {
    const JobRef<Job> job = std::move(jobs[i]);
    if (!job) continue;
    job->seat = -1;
    if (job->ready()) continue;
    job->position_or_stamp = piece.in_line_since;
    if (job->has_waiters()) after.moved.push_back(job);
    put_in_line_first(*job);
  }
}

void ProcessEngine::settle_bundle(Worker& worker, const Piece& piece, lane::Answer& answer,
                                  Aftermath& after) {
  const auto jobs = worker.bundle(answer.position, piece.count);
  if (!piece.is_cut) --worker.open_bundles;
  const auto run = account_for(piece, answer, after);
  const bool undisturbed = answer.ended == piece.count;
  // The last that was there, since those before it may have settled.
  if (piece.count != 0) {
    const JobRef<Job>& last = jobs[std::min<std::size_t>(answer.ended, piece.count - 1)];
    const auto each =
        static_cast<std::uint64_t>(run.count()) / std::max<std::uint64_t>(answer.ended, 1);
    if (last) note_call(static_cast<const CallJob&>(*last).code(), each, undisturbed);
  }
  settle_ended(jobs, answer, after);
  if (undisturbed) return;
  const JobRef<Job>& next = jobs[answer.ended];
  if (next && !next->ready() && settle_trailer(worker, *next, 0, answer)) {
    settle_if_complete(*next, after);
  }
  take_back(jobs.subspan(answer.ended), piece, after);
}

void ProcessEngine::settle_crashed_bundle(Worker& worker, const Piece& piece, lane::Answer& answer,
                                          const os::ExitStatus& how, Aftermath& after) {
  const auto jobs = worker.bundle(answer.position, piece.count);
  if (!piece.is_cut) --worker.open_bundles;
  const bool crashed = is_crashed(answer);
  // Of what has scribbled: not one that had settled before.
  while (answer.impossible && answer.ended < piece.count && !jobs[answer.ended]) ++answer.ended;
  undisturbed_ = 0;
  settle_ended(jobs, answer, after);
  if (answer.ended == piece.count) return;
  const JobRef<Job>& next = jobs[answer.ended];
  if (crashed && next && !next->ready() && settle_crash(worker, *next, 0, how)) {
    settle_if_complete(*next, after);
  }
  take_back(jobs.subspan(answer.ended), piece, after);
}

// All of it, where its worker has not claimed it. False where it has.
bool ProcessEngine::revoke_bundle(const Seat& worker, std::uint64_t position, Aftermath& after) {
  if (!worker->lane.revoke(position)) return false;
  Piece& piece = worker->piece(position);
  worker->given_items -= piece.count;
  --worker->open_bundles;
  take_back(worker->bundle(position, piece.count), piece, after);
  piece.is_bundle = false;
  worker->lane.wake_waiters(position);
  return true;
}

// Leaves a worker the call that it's at.
void ProcessEngine::cut_bundle(const Seat& worker, std::uint64_t position, Aftermath& after) {
  Piece& piece = worker->piece(position);
  const auto kept = worker->lane.cut(position);
  if (kept) {
    const auto jobs = worker->bundle(position, piece.count);
    if (!std::exchange(piece.is_cut, true)) --worker->open_bundles;
    piece.count = static_cast<std::uint32_t>(*kept);
    take_back(jobs.subspan(*kept), piece, after);
    const lane::Answer so_far = worker->lane.peek_bundle(position);
    if (!so_far.impossible) settle_ended(jobs.first(*kept), so_far, after);
  }
  // It's killed when its lane is looked at.
  if (worker->lane.is_scribbled()) after.ring = true;
}

// Requires: the call has settled.
void ProcessEngine::withdraw_bundled(const Seat& worker, std::uint64_t position, Timeout grace,
                                     Aftermath& after) {
  if (revoke_bundle(worker, position, after)) return;
  cut_bundle(worker, position, after);
  const Piece& piece = worker->piece(position);
  if (!piece.is_cut || piece.count == 0) return;
  const JobRef<Job>& running = worker->bundle(position, piece.count).back();
  if (running && running->ready()) ask_to_stop(worker, position, grace);
}

// By the alarm, while there are bundles whose workers come further. Of a worker that is at
// something long before them, its bell tells when it's done with that.
void ProcessEngine::watch_bundles(Aftermath& after) {
  bool any = false;
  for (const Seat& worker : workers_) {
    if (worker->lane.outstanding() == 0) continue;
    const bool comes_further = watch_bundle(worker, after);
    if (worker->open_bundles == 0) continue;
    const std::uint64_t at = worker->lane.oldest();
    const Piece& oldest = worker->piece(at);
    if (comes_further || (oldest.is_bundle && !oldest.is_cut)) {
      any = true;
    } else if (!worker->lane.set_bell(at)) {
      after.ring = true;
    }
  }
  if (any) set_alarm(after.now() + patience);
}

// Whether it has come further since the last look.
bool ProcessEngine::watch_bundle(const Seat& worker, Aftermath& after) {
  const std::uint64_t at = worker->lane.oldest();
  const std::uint64_t begun = worker->lane.begun(at);
  if (worker->seen_position != at || worker->seen_begun != begun) {
    worker->seen_position = at;
    worker->seen_begun = begun;
    worker->seen_since = after.now();
    return true;
  }
  const Piece& piece = worker->piece(at);
  if (!piece.is_bundle || piece.is_cut) return false;
  if (after.now() - worker->seen_since >= patience) cut_bundle(worker, at, after);
  return false;
}

}  // namespace brood::detail
