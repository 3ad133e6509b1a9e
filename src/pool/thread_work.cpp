// SPDX-License-Identifier: MIT
//
// What a thread of the pool does: where it finds work, how it runs it, and how that ends.
#include <algorithm>
#include <utility>

#include "os/fence.hpp"
#include "os/rough_clock.hpp"
#include "pool/job_end.hpp"
#include "pool/thread_run.hpp"

namespace brood::detail {
namespace {

// As in the engine of processes: long enough that handing it over is cheap.
constexpr double piece_target_nanoseconds = 200e3;
// Short enough that nobody waits for the last ones.
constexpr double piece_least_nanoseconds = 5e3;

}  // namespace

void ThreadEngine::Run::measure() noexcept {
  ++unmeasured_;
  const os::RoughStamp rough = os::rough_stamp();
  if (unmeasured_ < together_ && rough == rough_) return;
  rough_ = rough;
  read_clock();
}

void ThreadEngine::Run::read_clock() noexcept {
  constexpr double worth_a_look = 1e3;
  constexpr double batch_nanoseconds = 20e3;
  const auto now = Clock::now();
  const auto spent = std::chrono::nanoseconds(now - std::exchange(since_, now)).count();
  run_nanoseconds.add(static_cast<std::uint64_t>(spent));
  const double each = std::max(1.0, static_cast<double>(spent)) /
                      static_cast<double>(std::exchange(unmeasured_, 0));
  together_ = each < worth_a_look ? std::min<std::size_t>(2 * together_, 32) : 1;
  const auto timely = static_cast<std::size_t>(std::clamp(batch_nanoseconds / each, 1.0, 64.0));
  batch_size_ = std::min(timely, 2 * batch_size_);
  note_cpu();
}

bool ThreadEngine::work_once(Run& run) {
  // Now and then what tasks have submitted gives way to what others did.
  constexpr unsigned turns_a_look = 32;
  if (++run.turns % turns_a_look != 0) {
    if (auto job = JobRef<Job>::adopt(run.deque.take())) return run_first(run, *job), true;
  }
  if (auto job = JobRef<Job>::adopt(run.batch.take())) return run_first(run, *job), true;
  if (work_from_lines(run)) return true;
  for (Run* each = runs_ever_.load(std::memory_order_acquire); each; each = each->next) {
    if (auto job = each->take_oldest()) return run_first(run, *job), true;
  }
  return false;
}

// A piece of the first map in line; or some calls, one to run now and the others for the
// thread's batch.
bool ThreadEngine::work_from_lines(Run& run) {
  if (returned_count_.load() == 0 && lines_.empty()) return false;
  JobRef<Job> job;  // it may go when the locks are open
  Lock lock(mutex_);
  if (ended_.load()) return false;
  if (!returned_.empty()) {
    job = returned_.front();
    MapJob& map = *job->as_map();
    const Piece piece = take_piece(map);
    if (!has_items(map)) {
      job->in_backlog = false;
      returned_.pop_front();
      --returned_count_;
    }
    if (piece.count != 0) run_piece(run, map, piece, lock);
    return true;
  }
  auto [line, in_line] = lines_.next_turn();
  if (!line) return false;
  job = line->jobs.front();
  if (MapJob* const map = job->as_map()) {
    const Piece piece = take_piece(*map);
    if (!has_items(*map)) {
      job->in_backlog = false;
      line->pop();
      line->count();
    }
    in_line.unlock();
    if (piece.count != 0) run_piece(run, *map, piece, lock);
    return true;
  }
  lock.unlock();
  line->pop();
  for (std::size_t more = run.batch_size(); --more != 0 && !line->jobs.empty();) {
    if (line->jobs.front()->as_map()) break;
    run.batch.push_one_of_many(line->pop());
  }
  run.batch.announce();
  line->count();
  in_line.unlock();
  rescue(run);
  // Nobody could see them on their way.
  if (!run.batch.empty()) wake(1);
  spread(run);
  run_first(run, *job);
  return true;
}

// One that was woken wakes the next, while there's more.
void ThreadEngine::pass_on(Run& run) noexcept {
  if (!std::exchange(run.woken, false)) return;
  if (has_work()) wake(1);
}

// A call that nobody else's is waiting for below.
void ThreadEngine::run_first(Run& run, Job& job) noexcept {
  pass_on(run);
  move_over(run);
  run.start_measuring();
  if (!job.is_taken()) run_call(run, job, run.rough_now());
}

// With a fence behind it, as the next.
inline void ThreadEngine::settle_call(Frame& frame) noexcept {
  Job& job = frame.job;
  if (frame.kept_items() == 0 || job.has_extras()) return settle_slowly(frame);
  Run::Ending ending(frame.run);
  const auto settled = job.settle_opened();
  if (settled == Job::Settled::by_another) return os::full_fence();
  os::full_fence_after_exchange();
  frame.run.done.add(1);
  states_.note(job.id(), JobState::done);
  frame.run.settled.add(1);
  ending.close();
  if (settled == Job::Settled::awaited) job.announce();
}

[[gnu::noinline]] void ThreadEngine::settle_slowly(Frame& frame) noexcept {
  os::full_fence();
  Announced settled;
  {
    const std::lock_guard lock(mutex_);
    account(frame, settled);
  }
  announce(settled);
}

// `now`: by the rough clock.
void ThreadEngine::run_call(Run& run, Job& job, os::RoughStamp now) noexcept {
  Frame frame(run, job);
  // Before it's taken: who settles it otherwise finds it here, or it isn't taken.
  frame.show();
  const bool taken = job.take();
  os::full_fence_after_exchange();
  if (taken) states_.note(job.id(), JobState::running);
  if (!taken || ended_.load()) {
    if (taken) {
      run.begun.add(1);
      settle_ended(job);
    }
    frame.hide();
    os::full_fence();
    return frame.wait_for_lookers();
  }
  run.begun.add(1);
  const auto waited = os::between(job.position_or_stamp, now);
  if (waited.count() != 0) run.wait_milliseconds.add(static_cast<std::uint64_t>(waited.count()));
  if (frame.is_timed()) {
    const std::lock_guard lock(mutex_);
    deadlines_changed_.notify_all();
  }
  TaskContext* const outer = exchange_task_context(&frame);
  job.run_here(0, 1, frame);
  exchange_task_context(outer);
  // What a waiting task runs is a part of its own time.
  if (!frame.outer) run.measure();
  // Before it settles: whoever ends the pool waits for threads that show nothing, which may
  // have the user's destructors to run.
  frame.hide();
  settle_call(frame);
  frame.wait_for_lookers();
}

bool ThreadEngine::has_items(const MapJob& map) noexcept {
  return !map.ready() && (!map.returned.empty() || map.next_item < map.item_count());
}

// Empty when there's none.
ThreadEngine::Piece ThreadEngine::take_piece(MapJob& map) {
  if (!has_items(map)) return {};
  Piece piece;
  if (!map.returned.empty()) {
    piece = {map.returned.back().first, map.returned.back().count};
    map.returned.pop_back();
  } else {
    piece = {map.next_item, chunk_of(map, map.item_count() - map.next_item)};
    map.next_item += piece.count;
  }
  queued_items_ -= piece.count;
  return piece;
}

// Opens the lock.
void ThreadEngine::run_piece(Run& run, MapJob& map, Piece piece, Lock& lock) noexcept {
  Frame frame(run, map);
  frame.first = piece.first;
  frame.count = piece.count;
  frame.at_once = items_at_once(map);
  frame.first_index = map.first_index;
  frame.show();
  states_.note(map.id(), JobState::running);
  const auto waited = os::since(map.position_or_stamp);
  if (frame.is_timed()) deadlines_changed_.notify_all();
  lock.unlock();
  pass_on(run);
  if (!frame.outer) move_over(run);
  run.stop_measuring();
  const auto since = Clock::now();
  TaskContext* const outer = exchange_task_context(&frame);
  map.run_here(piece.first, piece.count, frame);
  exchange_task_context(outer);
  const auto spent = Clock::now() - since;
  lock.lock();
  const auto items = static_cast<Clock::rep>(piece.count);
  counted_.run_time += spent;
  // Each item has waited since its submission, and for those before it in its piece.
  counted_.wait_time += waited * items + spent * (items - 1) / 2;
  // Of a settled one it's read without the lock.
  if (!map.ready()) {
    map.item_nanoseconds = static_cast<double>(spent.count()) / static_cast<double>(items) + 0.1;
  }
  Announced settled;
  account(frame, settled);
  frame.hide_locked();
  lock.unlock();
  announce(settled);
}

std::size_t ThreadEngine::chunk_of(const MapJob& map, std::size_t left) const {
  if (map.chunk_size != 0) return std::min(map.chunk_size, left);
  if (map.item_nanoseconds <= 0) return 1;
  const double timely = piece_target_nanoseconds / map.item_nanoseconds;
  const double least = piece_least_nanoseconds / map.item_nanoseconds;
  const auto fair = static_cast<double>(left / (2 * wanted_workers_.load()) + 1);
  const double size = std::max(std::min(timely, std::max(fair, least)), 1.0);
  return size < static_cast<double>(left) ? static_cast<std::size_t>(size) : left;
}

// Few enough that what is told of the map's progress is never old.
std::size_t ThreadEngine::items_at_once(const MapJob& map) {
  if (map.item_nanoseconds <= 0) return 1;
  constexpr double nanoseconds = 20e3;
  return static_cast<std::size_t>(std::clamp(nanoseconds / map.item_nanoseconds, 1.0, 8192.0));
}

}  // namespace brood::detail
