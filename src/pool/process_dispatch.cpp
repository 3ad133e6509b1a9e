// SPDX-License-Identifier: MIT
//
// From the backlog into lanes. Everything here runs under the engine's lock.
#include <algorithm>
#include <cmath>
#include <limits>

#include "pool/process_core.hpp"

namespace brood::detail {
namespace {

using namespace std::chrono_literals;

// A lane holds about this much work: enough that its worker does not run dry
// before it's filled again, little enough to be moved when another runs dry.
constexpr double lane_nanoseconds = 400e3;
constexpr std::size_t least_depth = 2;

// So long a task may have to wait behind another though a worker is asleep.
constexpr auto stuck_patience = 200us;

// A piece of a map lasts about this long: the cost of handing it over is small
// beside it, and it's soon done when the others are. Longer where much is left, since
// on a busy core a hand-over costs some 10 us.
constexpr double least_piece_nanoseconds = 200e3;
constexpr double most_piece_nanoseconds = 1e6;
constexpr double pieces_a_worker = 32;
// Its request and its answer, so that several pieces fit into an arena.
constexpr std::size_t most_piece_bytes = std::size_t{256} << 10;

}  // namespace

// Takes notice of what was submitted.
void ProcessEngine::look_in_line() noexcept {
  unsettled_jobs_ += static_cast<std::int64_t>(backlog_.look());
}

void ProcessEngine::put_in_line_first(Job& job) {
  if (job.in_backlog) return;
  job.in_backlog = true;
  backlog_.push_front(JobRef<Job>::share(&job));
}

// An idle worker, else the one with the shortest line; none when all are full. Where
// tasks are shorter than a worker takes to wake, one that is awake and soon done comes
// before one that is asleep; were its task a long one after all, the alarm has the
// others moved.
const ProcessEngine::Seat* ProcessEngine::choose_worker() {
  const bool are_tiny = is_soon_done(1);
  const Seat* shortest = nullptr;
  const Seat* awake = nullptr;
  for (const Seat& worker : workers_) {
    if (worker->phase != Worker::Phase::working) continue;
    if (most_items_ != 0 && worker->given_items >= most_items_) continue;
    const std::size_t length = worker->lane.outstanding();
    if (length >= worker->depth) continue;
    if (!shortest || length < (*shortest)->lane.outstanding()) shortest = &worker;
    if (length == 0 && !(are_tiny && worker->lane.is_asleep())) return &worker;
    if (length != 0 && (!awake || length < (*awake)->lane.outstanding())) awake = &worker;
  }
  if (!are_tiny || !awake || (*shortest)->lane.outstanding() != 0) return shortest;
  if (!is_soon_done((*awake)->lane.outstanding())) return shortest;
  set_alarm(Clock::now() + stuck_patience);
  return awake;
}

void ProcessEngine::dispatch(Aftermath& after) {
  if (ending_ || terminated_) return;
  do {
    look_in_line();
    give_all(after);
    cared_for_.store(is_called_ || !backlog_.empty(), std::memory_order_seq_cst);
    // Who submitted meanwhile may have seen that it was cared for.
  } while (!is_called_ && backlog_.empty() && (look_in_line(), !backlog_.empty()));
  const bool queued_behind = may_run_dry(after);
  // On one core whoever is waited for needs it. With a line somebody submits, and the
  // supervisor gives: they need cores too.
  const bool may_spin = cpus_ > 1 && (backlog_.empty() || workers_.size() + 2 <= cpus_);
  for (const Seat& worker : workers_) {
    worker->lane.let_spin(may_spin);
    const bool rings = worker->lane.ring_when_idle(queued_behind);
    // It sleeps: nobody would hear that it has ended what we believe it has. Or whoever gave it
    // more has yet to wake it, but does not get to it: then it's woken here, and rings when it
    // falls asleep again.
    if (!rings && worker->lane.outstanding() != 0 && !after.wake.contains(worker)) {
      if (worker->lane.is_open(worker->lane.newest())) {
        after.wake.add(worker);
      } else {
        after.ring = true;
      }
    }
  }
  if (waiting_threads_ == 0) arm_bells(after);
}

// Whether a worker that has nothing more to do could be given something: of the backlog, or
// of a longer line. What is sooner done than a worker wakes is not worth a ring, unless it's
// longer after all.
bool ProcessEngine::may_run_dry(Aftermath& after) {
  if (!backlog_.empty()) return true;
  bool is_little_behind = false;
  for (const Seat& worker : workers_) {
    if (worker->lane.outstanding() <= 1) continue;
    if (!is_soon_done(*worker, after)) return true;
    is_little_behind = true;
  }
  if (is_little_behind) set_alarm(after.now() + stuck_patience);
  return false;
}

bool ProcessEngine::is_soon_done(std::size_t pieces) const noexcept {
  return piece_nanoseconds_ > 0 &&
         static_cast<double>(pieces) * piece_nanoseconds_ < wake_nanoseconds;
}

// All that a lane holds. What it's at would be done by now, were it short.
bool ProcessEngine::is_soon_done(Worker& worker, Aftermath& after) const noexcept {
  const Piece& oldest = worker.piece(worker.lane.oldest());
  return is_soon_done(worker.lane.outstanding()) && after.now() - oldest.given < stuck_patience;
}

// As much as the lanes take.
void ProcessEngine::give_all(Aftermath& after) {
  while (!backlog_.empty()) {
    Job& job = backlog_.front();
    MapJob* const map = job.as_map();
    const bool spent =
        job.ready() || (map && map->returned.empty() && map->next_item == map->item_count());
    if (spent) {
      job.in_backlog = false;
      backlog_.take_front();
      continue;
    }
    backlog_.prefetch_soon();
    const Seat* const worker = choose_worker();
    if (!worker) break;
    const std::size_t together = bundle_size(job);
    if (together > 1 && give_bundle(*worker, together, after)) continue;
    if (!give_piece(*worker, job, after)) break;
    after.wake.add(*worker);
    if (map) backlog_.pass_turn();
  }
}

// What the piece of a job holds on to. A call leaves the line with it, where it's in one; else
// nobody knows of it but its caller.
JobRef<Job> ProcessEngine::hold(Job& job) {
  if (job.as_map()) return JobRef<Job>::share(&job);
  if (!job.in_backlog) {
    job.retain_unshared();
    return JobRef<Job>::adopt(&job);
  }
  job.in_backlog = false;
  return backlog_.take_front();
}

std::size_t ProcessEngine::chunk_of(const MapJob& map, std::size_t left) const {
  if (map.chunk_size != 0) return std::min(map.chunk_size, left);
  // Unknown yet: the first item tells.
  if (map.item_nanoseconds <= 0) return 1;
  const auto workers = static_cast<double>(std::max<std::size_t>(workers_.size(), 1));
  const double piece =
      std::clamp(static_cast<double>(left) * map.item_nanoseconds / (pieces_a_worker * workers),
                 least_piece_nanoseconds, most_piece_nanoseconds);
  const double timely = std::max(1.0, piece / map.item_nanoseconds);
  // The last pieces get smaller, so that the workers end together.
  const std::size_t fair = left / (2 * std::max<std::size_t>(workers_.size(), 1)) + 1;
  return std::min({static_cast<std::size_t>(std::min(timely, 1e9)), fair, left});
}

MapJob::Range ProcessEngine::next_range(MapJob& map) const {
  if (!map.returned.empty()) {
    const MapJob::Range range = map.returned.back();
    return {range.first, chunk_of(map, range.count)};
  }
  return {map.next_item, chunk_of(map, map.item_count() - map.next_item)};
}

// Off what next_range() is the beginning of.
void ProcessEngine::take_range(MapJob& map, std::size_t count) {
  if (map.returned.empty()) {
    map.next_item += count;
    return;
  }
  MapJob::Range& rest = map.returned.back();
  rest.first += count;
  rest.count -= count;
  if (rest.count == 0) map.returned.pop_back();
}

// Of the exception that is being handled: there was no memory, or no descriptor, to
// send a large request. The job leaves the line as if it had been given.
void ProcessEngine::fail_range(Job& in_line, const MapJob::Range& range, Aftermath& after) {
  const JobRef<Job> job = hold(in_line);
  fail_items(*job, range.first, range.count);
  if (MapJob* const map = job->as_map()) take_range(*map, range.count);
  settle_if_complete(*job, after);
}

// Requires: the job is the front one, or in no line. Its worker is to be woken.
bool ProcessEngine::give_piece(const Seat& worker, Job& job, Aftermath& after) {
  MapJob* const map = job.as_map();
  MapJob::Range range{0, 1};
  if (map) range = next_range(*map);
  if (most_items_ != 0) {
    range.count = std::min<std::size_t>(
        range.count, static_cast<std::size_t>(most_items_ - worker->given_items));
  }
  if (map && map->encodes_late()) return give_late_piece(worker, *map, range, after);
  Request request = job.request(range.first, range.count);
  while (range.count > 1 &&
         request.items.size() + job.answer_room(range.count) > most_piece_bytes) {
    range.count = (range.count + 1) / 2;
    request = job.request(range.first, range.count);
  }
  return give_request(worker, job, request, range, Witness::anybody, after);
}

// Of a map whose items are encoded now.
bool ProcessEngine::give_late_piece(const Seat& worker, MapJob& map, MapJob::Range range,
                                    Aftermath& after) {
  wire::Buffer room;
  Request request;
  try {
    request = map.late_request(range.first, range.count, most_piece_bytes, room);
  } catch (const std::exception&) {
    fail_range(map, range, after);
    return true;
  }
  return give_request(worker, map, request, range, Witness::anybody, after);
}

bool ProcessEngine::give_request(const Seat& worker, Job& job, const Request& request,
                                 MapJob::Range range, Witness witness, Aftermath& after) {
  MapJob* const map = job.as_map();
  lane::Parcel parcel;
  parcel.code = wire::locate(reinterpret_cast<const void*>(request.thunk));
  parcel.job = job.id().number;
  parcel.sequence = map && map->seed_sequence != 0 ? map->seed_sequence : job.id().number;
  parcel.sequence = IdTable::sequence_of({parcel.sequence});
  parcel.first_item = range.first + (map ? map->first_index : 0);
  parcel.count = static_cast<std::uint32_t>(range.count);
  parcel.callable = request.callable;
  parcel.items = request.items;
  parcel.answer_room = job.answer_room(range.count);
  const JobExtras* const extras = job.extras_or_null();
  parcel.guarded = extras && !extras->timeout.is_forever();
  parcel.bell = job.listened;
  parcel.seen = witness == Witness::caller;
  std::optional<std::uint64_t> position;
  try {
    position = worker->lane.give(parcel);
  } catch (const std::exception&) {
    fail_range(job, range, after);
    return true;
  }
  if (!position) return false;

  Piece& piece = worker->piece(*position);
  piece.job = hold(job);
  piece.is_bundle = false;
  piece.in_line_since = job.position_or_stamp;
  piece.first = range.first;
  piece.count = parcel.count;
  piece.given = after.now();
  worker->given_items += range.count;
  // A thread may sleep on its job's own word alone, while there was no slot, and must
  // look again.
  if (job.has_waiters()) after.moved.push_back(piece.job);
  if (parcel.guarded) {
    ++worker->timed_pieces;
    expect_deadline(job);
  }
  if (map) {
    take_range(*map, range.count);
  } else {
    job.position_or_stamp = static_cast<std::uint32_t>(*position);
    job.seat = static_cast<std::int32_t>(worker->id);
  }
  return true;
}

void ProcessEngine::adapt_depth(Worker& worker) const {
  const double tasks = lane_nanoseconds / std::max(piece_nanoseconds_, 1.0);
  const auto wanted = static_cast<std::size_t>(std::clamp(
      tasks, static_cast<double>(least_depth), static_cast<double>(worker.lane.geometry().slots)));
  worker.depth = std::min(wanted, worker.depth * 2);
}

// With nobody inside wait(), each lane rings half-way, while there is more to
// give; and at its end, when the end of all is waited for.
void ProcessEngine::arm_bells(Aftermath& after) {
  if (backlog_.empty() && !closed_) return;
  for (const Seat& worker : workers_) {
    const std::size_t length = worker->lane.outstanding();
    if (length == 0) continue;
    const std::uint64_t half = worker->lane.oldest() + (length - 1) / 2;
    bool heard = worker->lane.set_bell(half);
    if (closed_) heard = worker->lane.set_bell(worker->lane.newest()) && heard;
    // Done before it could ring.
    if (!heard) after.ring = true;
  }
}

// A task can't pass its deadline sooner than its timeout from now; when the
// alarm goes off the supervisor looks when it began, and sets it again.
void ProcessEngine::expect_deadline(const Job& job) {
  const Timeout timeout = job.extras_or_null()->timeout;
  const Deadline earliest(timeout);
  if (!earliest.is_never()) set_alarm(earliest.at());
}

void ProcessEngine::set_alarm(Clock::time_point at) {
  if (at >= alarm_at_) return;
  alarm_at_ = at;
  alarm_.set(at);
}

}  // namespace brood::detail
