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
constexpr double lane_nanoseconds = 100e3;
constexpr std::size_t least_depth = 2;

// A piece of a map lasts about this long: the cost of handing it over is small
// beside it, and it's soon done when the others are.
constexpr double piece_target_nanoseconds = 200e3;
// Its request and its answer, so that several pieces fit into an arena.
constexpr std::size_t most_piece_bytes = std::size_t{256} << 10;

}  // namespace

void ProcessEngine::put_in_line(Job& job, bool first) {
  if (job.in_backlog) return;
  job.in_backlog = true;
  auto ref = JobRef<Job>::share(&job);
  if (first) {
    backlog_.push_front(std::move(ref));
  } else {
    backlog_.push_back(std::move(ref));
  }
}

// An idle worker, else the one with the shortest line; none when all are full.
const ProcessEngine::Seat* ProcessEngine::choose_worker() const noexcept {
  const Seat* best = nullptr;
  std::size_t shortest = std::numeric_limits<std::size_t>::max();
  for (const Seat& worker : workers_) {
    if (worker->phase != Worker::Phase::working) continue;
    if (most_items_ != 0 && worker->given_items >= most_items_) continue;
    const std::size_t length = worker->lane.outstanding();
    if (length >= worker->depth || length >= shortest) continue;
    best = &worker;
    shortest = length;
    if (length == 0) break;
  }
  return best;
}

// Whether a task that was put behind others in line needs no look at the lanes: each
// was full when the line began, and rings before it's empty. While threads wait
// they look after the lanes, and a look now and then saves a ring.
bool ProcessEngine::is_cared_for() noexcept {
  constexpr std::size_t between_looks = 16;
  return waiting_threads_ == 0 || ++merely_queued_ % between_looks != 0;
}

void ProcessEngine::dispatch(Aftermath& after) {
  if (ending_ || terminated_) return;
  while (!backlog_.empty()) {
    Job& job = *backlog_.front();
    MapJob* const map = job.as_map();
    const bool spent =
        job.ready() || (map && map->returned.empty() && map->next_item == map->item_count());
    if (spent) {
      job.in_backlog = false;
      backlog_.pop_front();
      continue;
    }
    const Seat* const worker = choose_worker();
    if (!worker || !give_piece(*worker, backlog_.front(), after)) break;
    if (map) {
      backlog_.pass_turn();
    } else {
      job.in_backlog = false;
      backlog_.pop_front();
    }
  }
  // Whoever runs dry may take from a longer line, or find the backlog.
  bool queued_behind = !backlog_.empty();
  for (const Seat& worker : workers_) queued_behind |= worker->lane.outstanding() > 1;
  for (const Seat& worker : workers_) {
    const bool rings = worker->lane.ring_when_idle(queued_behind);
    // It has ended what we believe it has, and nobody would hear of it.
    if (!rings && worker->lane.outstanding() != 0) after.ring = true;
  }
  if (waiting_threads_ == 0) arm_bells(after);
}

std::size_t ProcessEngine::chunk_of(const MapJob& map, std::size_t left) const {
  if (map.chunk_size != 0) return std::min(map.chunk_size, left);
  // Unknown yet: the first item tells.
  if (map.item_nanoseconds <= 0) return 1;
  const double timely = std::max(1.0, piece_target_nanoseconds / map.item_nanoseconds);
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
void ProcessEngine::fail_range(JobRef<Job>& in_line, const MapJob::Range& range, Aftermath& after) {
  MapJob* const map = in_line->as_map();
  const auto job = map ? JobRef<Job>::share(map) : std::move(in_line);
  fail_items(*job, range.first, range.count);
  if (map) take_range(*map, range.count);
  settle_if_complete(*job, after);
}

// A call leaves the line with it, and the line's reference to it is taken over.
bool ProcessEngine::give_piece(const Seat& worker, JobRef<Job>& in_line, Aftermath& after) {
  Job& job = *in_line;
  MapJob* const map = job.as_map();
  MapJob::Range range{0, 1};
  if (map) range = next_range(*map);
  if (most_items_ != 0) {
    range.count = std::min<std::size_t>(
        range.count, static_cast<std::size_t>(most_items_ - worker->given_items));
  }
  Request request = job.request(range.first, range.count);
  while (range.count > 1 &&
         request.items.size() + job.answer_room(range.count) > most_piece_bytes) {
    range.count = (range.count + 1) / 2;
    request = job.request(range.first, range.count);
  }

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
  std::optional<std::uint64_t> position;
  try {
    position = worker->lane.give(parcel);
  } catch (const std::exception&) {
    fail_range(in_line, range, after);
    return true;
  }
  if (!position) return false;

  Piece& piece = worker->piece(*position);
  piece.job = map ? JobRef<Job>::share(&job) : std::move(in_line);
  piece.first = range.first;
  piece.count = parcel.count;
  piece.given = after.now();
  worker->given_items += range.count;
  if (after.wakes_moved && job.has_waiters()) after.moved.push_back(piece.job);
  if (parcel.guarded) {
    ++worker->timed_pieces;
    expect_deadline(job);
  }
  if (map) {
    take_range(*map, range.count);
  } else {
    job.position = *position;
    job.seat = static_cast<std::int32_t>(worker->id);
  }
  // One wake for all that this round gives it.
  after.wake.add(worker);
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
