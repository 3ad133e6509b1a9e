// SPDX-License-Identifier: MIT
#include "pool/thread_engine.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <system_error>

#include <brood/base/error.hpp>

#include "os/futex.hpp"
#include "os/rough_clock.hpp"
#include "os/steady_now.hpp"
#include "os/thread_list.hpp"
#include "pool/job_end.hpp"
#include "pool/placement.hpp"
#include "pool/priority.hpp"
#include "pool/thread_run.hpp"
#include "process/home.hpp"

namespace brood::detail {
namespace {

// Threads beyond those that were asked for, for tasks that wait for others.
constexpr std::size_t most_spares = 256;

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

constinit thread_local ThreadEngine::Run* ThreadEngine::current_run = nullptr;

Core* make_thread_engine(const PoolOptions& options) {
  auto* const engine = new ThreadEngine(options, pool_size(options));
  try {
    engine->start();
  } catch (...) {
    engine->terminate();
    engine->release();
    throw;
  }
  return engine;
}

ThreadEngine::ThreadEngine(const PoolOptions& options, const PoolSize& size)
    : options_(options),
      cpus_(size.cpus),
      share_of_a_task_(size.share_of_a_task),
      places_(places_for(options)),
      niceness_(niceness_for(options)),
      wanted_workers_(size.workers) {}

ThreadEngine::~ThreadEngine() = default;

void ThreadEngine::start() {
  std::exception_ptr failure;
  if (options_.preload) {
    try {
      run_errand(options_.preload);
    } catch (...) {
      failure = broken_by("preload");
    }
  }
  if (!places_.empty() || niceness_) start_callbacks();
  Announced settled;
  Lock lock(mutex_);
  if (failure) break_pool(failure, lock, settled);
  while (runs_.size() < wanted_workers_) start_thread(lock);
}

ThreadEngine::Run& ThreadEngine::unused_run(Lock&) {
  for (const auto& run : all_runs_) {
    if (!run->in_use) return *run;
  }
  parked_.reserve(all_runs_.size() + 1);
  all_runs_.push_back(std::make_unique<Run>(*this));
  Run& made = *all_runs_.back();
  made.next = runs_ever_.load(std::memory_order_relaxed);
  // Publishes it to thieves; pairs with their acquire.
  runs_ever_.store(&made, std::memory_order_release);
  return made;
}

// It has a slot.
void ThreadEngine::start_thread(Lock& lock) {
  Run& run = unused_run(lock);
  run.place = free_place(places_.size(), places_taken());
  const std::string name = (options_.name.empty() ? std::string("Pool") : options_.name) + "-" +
                           std::to_string(++threads_named_);
  runs_.reserve(runs_.size() + 1);
  retain();
  try {
    std::thread([this, &run, name] {
      run.thread = os::current_thread_id();
      os::name_thread(run.thread, name);
      have_share_of_thread(share_of_a_task_);
      work(run);
      release();
    }).detach();
  } catch (const std::system_error& refusal) {
    release();
    throw SystemError(refusal.code().value(),
                      "cannot start thread '" + name + "' of the pool: " + refusal.what());
  }
  runs_.push_back(&run);
  run.in_use = run.has_slot = true;
  ++active_;
}

bool ThreadEngine::initialize(const Run& run, Announced& settled) {
  const char* step = "placement";
  try {
    settle_down(run);
    step = "initializer";
    if (options_.initializer) run_errand(options_.initializer);
    return true;
  } catch (...) {
    Lock lock(mutex_);
    break_pool(broken_by(step), lock, settled);
    return false;
  }
}

void ThreadEngine::work(Run& run) noexcept {
  Announced settled;
  const bool initialized = initialize(run, settled);
  announce(settled);
  settled.clear();
  current_run = &run;
  have_thread(this);
  while (initialized && !ended_.load() && !run.left.load()) {
    if (has_surplus() && !keeps_slot(run)) break;
    if (work_once(run)) continue;
    run.stop_measuring();
    if (finished_.load()) break;
    idle(run);
    if (has_work()) spread(run);
  }
  run.stop_measuring();
  run.is_nowhere();
  current_run = nullptr;
  have_thread(nullptr);
  Lock lock(mutex_);
  if (run.has_slot) free_slot(run, lock);
  put_back(run);
  std::erase(runs_, &run);
  run.left.store(false);
  run.in_use = false;
  finish_if_settled(lock);
  if (has_work()) rouse(1);
  offer_slot(lock);
  changed_.notify_all();
}

bool ThreadEngine::has_work() const noexcept {
  if (returned_count_.load() != 0 || !lines_.empty()) return true;
  for (Run* run = runs_ever_.load(std::memory_order_acquire); run; run = run->next) {
    if (run->has_jobs()) return true;
  }
  return false;
}

// After work was put in line. One thread that is on its way will do: it wakes the next. So
// will one that looks: it looks once more after it has said that it stops.
void ThreadEngine::wake(std::size_t threads) noexcept {
  if (threads == 1 && spinners_.load() != 0) return;
  if (sleepers_.load() != 0) {
    if (!waking_.exchange(true) || threads > 1) rouse(threads);
  } else if (active_.load() < wanted_workers_.load()) {
    Lock lock(mutex_);
    offer_slot(lock);
  }
}

void ThreadEngine::rouse(std::size_t threads) noexcept {
  epoch_.fetch_add(1);
  constexpr std::size_t most = std::numeric_limits<int>::max();
  os::futex_wake_private(epoch_, static_cast<int>(std::min(threads, most)));
}

// Under the lock.
void ThreadEngine::rouse_all() noexcept {
  rouse(std::numeric_limits<std::size_t>::max());
  for (Run* run : parked_) run->slot_there.notify_one();
}

// Until there's something to do, or to leave. Looks for a moment first, but only one thread
// at a time does, since each look goes to where the others work; and a second one while
// somebody outside waits, whose core is free.
void ThreadEngine::idle(Run& run) noexcept {
  const auto called = [&] {
    return has_work() || ended_.load() || finished_.load() || run.left.load() || has_surplus();
  };
  const bool may_spin = spinners_.fetch_add(1) < (outside_waiters_.load() == 0 ? 1U : 2U);
  run.may_be_moved();
  const bool found = may_spin && run.spin.until_giving_way([&] {
    spread(run);
    // Whoever has work for this thread may need its core.
    std::this_thread::yield();
    return called();
  });
  spinners_.fetch_sub(1);
  run.stay();
  run.woken = true;
  if (found) return;
  // The order matters: see wake(). A waker that sets `waking_` after it's cleared here
  // moves the epoch on, so that this thread does not sleep.
  const std::uint32_t epoch = epoch_.load();
  sleepers_.fetch_add(1);
  waking_.store(false);
  if (refuses_.load()) {
    Lock lock(mutex_);
    finish_if_settled(lock);
  }
  if (!called()) {
    run.is_nowhere();
    const auto since = os::steady_now();
    os::futex_wait_private(epoch_, epoch, Deadline());
    run.spin.learn(os::steady_now() - since);
    run.note_cpu();
  }
  sleepers_.fetch_sub(1);
  waking_.store(false);
}

// Between two tasks, when more threads are awake than were asked for. False when this
// one is to end.
bool ThreadEngine::keeps_slot(Run& run) noexcept {
  Lock lock(mutex_);
  if (!has_surplus()) return true;
  run.stop_measuring();
  free_slot(run, lock);
  put_back(run);
  // It may have been woken for work, which is another's now.
  if (has_work()) rouse(1);
  const auto is_spare = [&] { return runs_.size() <= wanted_workers_ + most_blocked_; };
  parked_.push_back(&run);
  run.is_nowhere();
  run.slot_there.wait(
      lock, [&] { return run.has_slot || ended_.load() || finished_.load() || !is_spare(); });
  run.note_cpu();
  if (run.has_slot) return true;
  std::erase(parked_, &run);
  return false;
}

void ThreadEngine::free_slot(Run& run, Lock&) noexcept {
  run.has_slot = false;
  --active_;
  reconsider_places();
}

// For work that nobody will do otherwise. Where no thread can be had, it waits for those
// that there are. `cpu`: where the caller will sleep from now on.
void ThreadEngine::offer_slot(Lock& lock, int cpu) noexcept {
  if (ended_.load() || finished_.load() || active_.load() >= wanted_workers_.load()) return;
  if (!has_work()) return;
  if (!parked_.empty()) {
    Run& heir = *parked_.back();
    parked_.pop_back();
    heir.has_slot = true;
    ++active_;
    reconsider_places();
    wake_at(heir, cpu);
  } else if (runs_.size() < wanted_workers_ + most_spares) {
    try {
      start_thread(lock);
    } catch (const std::exception&) {
    }
  }
}

std::size_t ThreadEngine::workers() const noexcept { return is_own() ? wanted_workers_.load() : 0; }

void ThreadEngine::refuse() {
  const std::lock_guard lock(mutex_);
  if (broken_) std::rethrow_exception(broken_);
  throw ValueError("cannot submit a task: the pool is closed; submit before close()");
}

void ThreadEngine::submit(const JobRef<Job>& job) {
  require_own_of(process::fork_generation());
  if (refuses_.load()) refuse();
  if (MapJob* const map = job->as_map()) return submit_map(job, *map);
  if (has_timeout(*job)) {
    const std::lock_guard lock(mutex_);
    start_watching();
  }
  job->position_or_stamp = os::rough_stamp();
  Run* const run = own_run();
  if (run && !run->left.load()) {
    set_id(*job, run->next_id(states_));
    run->submitted.add(1);
    job->retain_unshared();
    run->deque.push(JobRef<Job>::adopt(job.get()));
  } else if (!enter_line(*job)) {
    refuse();
  }
  if (run && (run->left.load() || ended_.load())) [[unlikely]] {
    rescue(*run);
  }
  if (is_somebody_idle()) wake(1);
}

// A line is emptied for good after `refuses_` was set.
bool ThreadEngine::enter_line(Job& job) {
  const auto [line, lock] = lines_.own();
  if (refuses_.load()) return false;
  if (job.id() == JobId{}) set_id(job, line->next_id(states_));
  job.retain_unshared();
  line->push(JobRef<Job>::adopt(&job));
  return true;
}

// Whoever ends the pool, or leaves a thread behind, empties its deque after having said
// so; what the thread puts there later it has to see to itself.
void ThreadEngine::rescue(Run& run) noexcept {
  if (run.left.load()) put_back(run);
  if (!ended_.load()) return;
  Announced settled;
  Dropped dropped;
  {
    Lock lock(mutex_);
    settle_all(lock, settled, dropped);
  }
  announce(settled);
}

void ThreadEngine::submit_map(const JobRef<Job>& job, MapJob& map) {
  Announced settled;
  {
    Lock lock(mutex_);
    if (has_timeout(*job)) start_watching();
    if (map.seed_sequence != 0) set_id(map, JobId{map.seed_sequence});  // more of a lazy map
    map.take();                                                         // nobody runs it as a call
    if (map.item_count() == 0) {
      if (refuses_.load()) return lock.unlock(), refuse();
      if (map.id() == JobId{}) set_id(map, states_.next());
      ++maps_of_nothing_;
      settle_if_complete(map, settled);
    } else {
      job->position_or_stamp = os::rough_stamp();
      job->in_backlog = true;
      if (!enter_line(map)) return lock.unlock(), refuse();
      ++maps_submitted_;
      queued_items_ += map.item_count();
    }
  }
  announce(settled);
  wake(std::min(map.item_count(), wanted_workers_.load()));
}

void ThreadEngine::resume_later(const JobRef<Job>& job, std::coroutine_handle<> waiting) {
  callbacks_.post_resumption(job, waiting);
}

}  // namespace brood::detail
