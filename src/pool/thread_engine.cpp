// SPDX-License-Identifier: MIT
#include "pool/thread_engine.hpp"

#include <algorithm>
#include <string>
#include <system_error>

#include <brood/base/error.hpp>

#include "os/futex.hpp"
#include "os/niceness.hpp"
#include "os/rough_clock.hpp"
#include "os/thread_list.hpp"
#include "pool/placement.hpp"
#include "pool/pool_size.hpp"
#include "pool/priority.hpp"
#include "pool/thread_run.hpp"
#include "process/home.hpp"

namespace brood::detail {
namespace {

// As in the engine of processes: long enough that handing it over is cheap.
constexpr double piece_target_nanoseconds = 200e3;

void run_errand(const wire::ErasedCall& call) {
  if (call.is_local()) {
    call.call_local();
  } else {
    wire::ErasedCall::run(call.encoded());
  }
}

std::exception_ptr broken_by(const char* what) {
  std::string why = "it threw something that is no std::exception";
  try {
    throw;
  } catch (const std::exception& thrown) {
    why = thrown.what();
  } catch (...) {
  }
  return std::make_exception_ptr(
      BrokenPool(std::string("cannot use this pool: its ") + what + " failed: " + why));
}

}  // namespace

Core* make_thread_engine(const PoolOptions& options) {
  auto* const engine = new ThreadEngine(options);
  try {
    engine->start();
  } catch (...) {
    engine->terminate();
    engine->release();
    throw;
  }
  return engine;
}

ThreadEngine::ThreadEngine(const PoolOptions& options)
    : options_(options),
      share_of_a_task_(share_of_a_task(options)),
      places_(places_for(options)),
      niceness_(niceness_for(options)),
      wanted_workers_(pool_size(options)) {}

void ThreadEngine::start() {
  Announced settled;
  if (options_.preload) {
    try {
      run_errand(options_.preload);
    } catch (...) {
      break_pool(broken_by("preload"), settled);
    }
  }
  if (!places_.empty() || niceness_) start_callbacks();
  Lock lock(mutex_);
  while (runs_.size() < wanted_workers_) start_thread(lock);
}

// Else the first worker that needs them would start them, in its own place and as nice as
// it is.
void ThreadEngine::start_callbacks() {
  try {
    callbacks_.start(*this);
  } catch (const std::system_error& refusal) {
    throw SystemError(refusal.code().value(),
                      std::string("cannot start the pool's thread: ") + refusal.what());
  }
}

void ThreadEngine::start_thread(Lock&) {
  auto run = std::make_shared<Run>(*this);
  run->place = free_place(places_.size(), places_taken());
  const std::string name = (options_.name.empty() ? std::string("Pool") : options_.name) + "-" +
                           std::to_string(++threads_named_);
  retain();
  try {
    std::thread([this, run, name] {
      os::name_thread(os::current_thread_id(), name);
      have_share_of_thread(share_of_a_task_);
      work(*run);
      release();
    }).detach();
  } catch (const std::system_error& refusal) {
    release();
    throw SystemError(refusal.code().value(),
                      "cannot start thread '" + name + "' of the pool: " + refusal.what());
  }
  runs_.push_back(std::move(run));
}

std::vector<std::size_t> ThreadEngine::places_taken() const {
  std::vector<std::size_t> places;
  for (const auto& run : runs_) places.push_back(run->place);
  return places;
}

// Of threads that are too many any may have gone: the others move together.
bool ThreadEngine::takes_better_place(Run& run) {
  if (!has_shrunk_) return false;
  const auto taken = places_taken();
  has_shrunk_ = !are_used_evenly(places_.size(), taken);
  if (!is_crowded(places_.size(), taken, run.place)) return false;
  run.place = free_place(places_.size(), taken);
  return true;
}

void ThreadEngine::move_over(const Run& run) noexcept {
  try {
    os::occupy(places_[run.place]);
  } catch (const std::exception&) {
    // It works where it is, too.
  }
}

void ThreadEngine::settle_down(const Run& run) {
  if (run.place < places_.size()) os::occupy(places_[run.place]);
  // One that is nicer already, since a nicer thread started it, may have to stay so.
  if (niceness_) os::set_niceness(*niceness_);
}

bool ThreadEngine::initialize(const Run& run, Announced& settled) {
  const char* step = "placement";
  try {
    settle_down(run);
    step = "initializer";
    if (options_.initializer) run_errand(options_.initializer);
    return true;
  } catch (...) {
    const std::lock_guard lock(mutex_);
    break_pool(broken_by(step), settled);
    return false;
  }
}

void ThreadEngine::work(Run& run) noexcept {
  Announced settled;
  const bool initialized = initialize(run, settled);
  announce(settled);
  settled.clear();
  Lock lock(mutex_);
  while (initialized && take_piece(run, lock)) {
    Job& job = *run.job;
    const bool moves = takes_better_place(run);
    lock.unlock();
    if (moves) move_over(run);
    const auto since = Clock::now();
    TaskContext* const outer = exchange_task_context(&run);
    job.run_here(run.first, run.count, run);
    exchange_task_context(outer);
    const auto spent = Clock::now() - since;
    lock.lock();
    const auto items = static_cast<Clock::rep>(std::max<std::size_t>(run.count, 1));
    counted_.run_time += spent;
    // Each item has waited since its submission, and for those before it in its piece.
    counted_.wait_time += run.waited * items + spent * (items - 1) / 2;
    // Of a settled one it's read without the lock.
    if (MapJob* const map = job.as_map(); map && run.count != 0 && !job.ready()) {
      map->item_nanoseconds =
          static_cast<double>(spent.count()) / static_cast<double>(run.count) + 0.1;
    }
    account(run, settled);
    JobRef<Job> last = std::move(run.job);
    const bool leaves = run.given_up.load();
    lock.unlock();
    announce(settled);
    // Nothing of the user's is kept, whose library may be closed after the pool; its
    // destructors run with the lock open.
    settled.clear();
    last = {};
    lock.lock();
    if (leaves) break;
  }
  std::erase_if(runs_, [&](const auto& each) { return each.get() == &run; });
  has_shrunk_ = true;
  changed_.notify_all();
}

// The next piece of the first job in line. False when the thread is to end.
bool ThreadEngine::take_piece(Run& run, Lock& lock) {
  for (;;) {
    work_there_.wait(lock, [&] {
      return !backlog_.empty() || terminated_ || broken_ || runs_.size() > wanted_workers_ ||
             (closed_ && unsettled_jobs_ == 0);
    });
    if (terminated_ || broken_ || runs_.size() > wanted_workers_) return false;
    if (backlog_.empty()) return false;
    Job& job = backlog_.front();
    MapJob* const map = job.as_map();
    run.first = 0;
    run.count = 1;
    if (map && !job.ready()) {
      if (!map->returned.empty()) {
        run.first = map->returned.back().first;
        run.count = map->returned.back().count;
        map->returned.pop_back();
      } else {
        run.first = map->next_item;
        run.count = chunk_of(*map, map->item_count() - map->next_item);
        map->next_item += run.count;
      }
    }
    run.job = JobRef<Job>::share(&job);
    if (job.ready() || !map || (map->returned.empty() && map->next_item == map->item_count())) {
      job.in_backlog = false;
      backlog_.take_front();
    } else {
      backlog_.pass_turn();
    }
    if (job.ready()) {
      const JobRef<Job> dropped = std::move(run.job);
      continue;
    }
    const JobExtras* const extras = job.extras_or_null();
    run.timed = extras && !extras->timeout.is_forever();
    run.at_once = map ? items_at_once(*map) : 1;
    run.first_index = map ? map->first_index : 0;
    run.seed_sequence =
        IdTable::sequence_of(map && map->seed_sequence != 0 ? JobId{map->seed_sequence} : job.id());
    run.waited = os::since(job.position_or_stamp);
    if (run.timed) deadlines_changed_.notify_all();
    return true;
  }
}

std::size_t ThreadEngine::chunk_of(const MapJob& map, std::size_t left) const {
  if (map.chunk_size != 0) return std::min(map.chunk_size, left);
  if (map.item_nanoseconds <= 0) return 1;
  const double timely = std::max(1.0, piece_target_nanoseconds / map.item_nanoseconds);
  const std::size_t fair = left / (2 * std::max<std::size_t>(wanted_workers_, 1)) + 1;
  return std::min({static_cast<std::size_t>(std::min(timely, 1e9)), fair, left});
}

// Few enough that what is told of the map's progress is never old.
std::size_t ThreadEngine::items_at_once(const MapJob& map) {
  if (map.item_nanoseconds <= 0) return 1;
  constexpr double nanoseconds = 20e3;
  return static_cast<std::size_t>(std::clamp(nanoseconds / map.item_nanoseconds, 1.0, 1024.0));
}

// Counts what the thread has kept of its piece so far.
void ThreadEngine::account(Run& run, Announced& settled) {
  Job& job = *run.job;
  const std::size_t kept = run.kept_items.exchange(0, std::memory_order_acquire);
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
  finish_settling(job, job.failed ? Job::Outcome::failed : Job::Outcome::done, settled);
}

void ThreadEngine::settle_whole(Job& job, Job::Outcome outcome, std::exception_ptr error,
                                Announced& settled) {
  if (!job.begin_settling()) return;
  job.set_error(std::move(error));
  finish_settling(job, outcome, settled);
}

void ThreadEngine::finish_settling(Job& job, Job::Outcome outcome, Announced& settled) {
  const JobState state = outcome == Job::Outcome::done     ? JobState::done
                         : outcome == Job::Outcome::failed ? JobState::failed
                                                           : JobState::cancelled;
  ids_.strike(job.id(), job, state);
  const JobExtras* const extras = job.extras_or_null();
  const bool calls_back = extras && extras->callbacks;
  if (job.publish(outcome)) settled.push_back(JobRef<Job>::share(&job));
  if (calls_back) callbacks_.post(JobRef<Job>::share(&job));
  if (--unsettled_jobs_ == 0) {
    changed_.notify_all();
    work_there_.notify_all();
  }
}

void ThreadEngine::announce(const Announced& settled) noexcept {
  for (const auto& job : settled) job->announce();
}

std::size_t ThreadEngine::workers() const noexcept {
  if (!is_own()) return 0;
  const std::lock_guard lock(mutex_);
  return wanted_workers_;
}

void ThreadEngine::submit(const JobRef<Job>& job) {
  require_own();
  Announced settled;
  {
    Lock lock(mutex_);
    if (broken_) std::rethrow_exception(broken_);
    if (closed_ || terminated_) {
      throw ValueError("cannot submit a task: the pool is closed; submit before close()");
    }
    const JobExtras* const extras = job->extras_or_null();
    if (extras && !extras->timeout.is_forever()) start_watching();
    set_id(*job, ids_.enroll(*job));
    ++unsettled_jobs_;
    settle_if_complete(*job, settled);  // a map of nothing
    if (!job->ready()) {
      job->position_or_stamp = os::rough_stamp();
      job->in_backlog = true;
      backlog_.push_back(job);
    }
  }
  if (job->item_count() > 1) {
    work_there_.notify_all();
  } else {
    work_there_.notify_one();
  }
  announce(settled);
}

bool ThreadEngine::wait(Job& job, const Deadline& deadline) {
  require_own();
  for (;;) {
    const auto sleeping_on = job.mark_waiter();
    if (!sleeping_on) return true;
    if (!os::futex_wait_private(job.word(), *sleeping_on, deadline)) return job.ready();
  }
}

void ThreadEngine::resume_later(const JobRef<Job>& job, std::coroutine_handle<> waiting) {
  callbacks_.post_resumption(job, waiting);
}

std::size_t ThreadEngine::settled_items(const MapJob& map) {
  require_own();
  const std::lock_guard lock(mutex_);
  std::size_t items = map.settled_items;
  for (const auto& run : runs_) {
    if (run->job.get() == &map) items += run->kept_items.load(std::memory_order_relaxed);
  }
  return items;
}

}  // namespace brood::detail
