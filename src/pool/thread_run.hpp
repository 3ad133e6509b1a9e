// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include "os/place.hpp"
#include "os/rough_clock.hpp"
#include "os/spin.hpp"
#include "pool/job_deque.hpp"
#include "pool/number_range.hpp"
#include "pool/this_task.hpp"
#include "pool/thread_engine.hpp"

namespace brood::detail {

// One thread of the pool: what it has in line, what it's at, and what it has done. The
// engine keeps it to its end, for one thread after the other.
class ThreadEngine::Run {
 public:
  explicit Run(ThreadEngine& owner) noexcept : engine(owner) {}

  // A number that only this thread adds to, and others read.
  class Count {
   public:
    void add(std::uint64_t more) noexcept {
      // Publishes what it counts; pairs with the acquire in `read`.
      number_.store(number_.load(std::memory_order_relaxed) + more, std::memory_order_release);
    }
    std::uint64_t read() const noexcept { return number_.load(std::memory_order_acquire); }

   private:
    std::atomic<std::uint64_t> number_{0};
  };

  // While this lasts a job gets ready, is noted and counted, a few instructions long. Whoever
  // asks how things stand waits for the end: who has the job's result must find all of it.
  class Ending {
   public:
    explicit Ending(Run& run) noexcept : run_(run) { step(std::memory_order_relaxed); }
    Ending(const Ending&) = delete;
    Ending& operator=(const Ending&) = delete;
    ~Ending() { close(); }
    void close() noexcept {
      // Publishes what was noted; pairs with the acquire in wait_for_ending.
      if (std::exchange(is_open_, false)) step(std::memory_order_release);
    }

   private:
    void step(std::memory_order order) noexcept {
      run_.endings_.store(run_.endings_.load(std::memory_order_relaxed) + 1, order);
    }
    Run& run_;
    bool is_open_ = true;
  };
  // That of a job which is ready by now.
  // Safety: any thread.
  void wait_for_ending() const noexcept {
    const std::uint64_t seen = endings_.load(std::memory_order_acquire);
    if (seen % 2 == 0) return;
    while (endings_.load(std::memory_order_acquire) == seen) std::this_thread::yield();
  }

  // For a job that its tasks submit.
  JobId next_id(JobStates& states) noexcept { return states.next(numbers_); }

  // How long calls take is measured one by one, and for up to 32 together while they are
  // shorter than a look at the clock is worth; a tick of the rough clock ends that.
  void start_measuring() noexcept {
    if (std::exchange(measures_, true)) return;
    since_ = Clock::now();
    rough_ = os::rough_stamp();
    note_cpu();
  }
  // By the rough clock, at the end of the call before, or at the beginning.
  // Requires: start_measuring() was called.
  os::RoughStamp rough_now() const noexcept { return rough_; }
  void measure() noexcept;
  void stop_measuring() noexcept {
    if (unmeasured_ != 0) read_clock();
    measures_ = false;
    together_ = 1;
  }
  // How many calls to take out of a line at once: some 20 us of them.
  std::size_t batch_size() const noexcept { return batch_size_; }

  // Whether to move to another CPU now, which takes some 20 us: once a tick of the rough
  // clock, and a few times more where it did not lately.
  bool may_spread() noexcept {
    constexpr std::int64_t most = 4;
    const os::RoughStamp now = os::rough_stamp();
    const auto ticks = os::between(std::exchange(spread_at_, now), now).count();
    moves_ = std::min<std::int64_t>(most, moves_ + ticks);
    if (moves_ == 0) return false;
    --moves_;
    return true;
  }
  void is_nowhere() noexcept { cpu.store(-1, std::memory_order_relaxed); }
  void note_cpu() noexcept {
    const int here = os::current_cpu();
    if (cpu.load(std::memory_order_relaxed) != here) cpu.store(here, std::memory_order_relaxed);
  }

  // The oldest of what it has in line.
  JobRef<Job> take_oldest() noexcept {
    if (Job* const job = deque.take()) return JobRef<Job>::adopt(job);
    return JobRef<Job>::adopt(batch.take());
  }
  bool has_jobs() const noexcept { return !deque.empty() || !batch.empty(); }

  // Between these two its thread does nothing of the user's, and another may move it.
  void may_be_moved() noexcept { movable_.store(thread); }
  void stay() noexcept {
    for (os::ThreadNumber own = thread; !movable_.compare_exchange_weak(own, 0); own = thread) {
      __builtin_ia32_pause();
    }
  }
  // Another thread's: to another CPU than those taken, if it's on this one and may be moved.
  // Throws: SystemError, std::bad_alloc.
  bool send_off(int from, const std::vector<int>& taken);

  ThreadEngine& engine;
  // What threads that look for work read, and its thread seldom writes.
  Run* next = nullptr;
  // Where it was at its latest look; -1 while it sleeps. A hint.
  std::atomic<int> cpu{-1};
  // It isn't the pool's any more: it ends when its task returns.
  std::atomic<bool> left{false};
  // Slots were freed and taken since it looked whether another place is better. Cleared
  // by the thread, set under the lock.
  std::atomic<bool> may_move{false};
  os::ThreadNumber thread = 0;
  // Guarded by the engine's lock.
  std::condition_variable slot_there;
  bool has_slot = false;
  bool in_use = false;
  std::size_t place = 0;  // of the engine's

  JobDeque deque;  // what its tasks have submitted
  JobDeque batch;  // what it took out of a line

  // What its thread writes at each call. The call or piece that it's at, on top of those
  // that wait for it.
  alignas(64) std::atomic<Frame*> top{nullptr};
  Count submitted;  // jobs
  Count settled;
  Count begun;  // calls
  Count done;   // items of calls
  Count run_nanoseconds;
  Count wait_milliseconds;
  // The thread's own.
  unsigned turns = 0;
  bool woken = false;
  // Calls that were run before their turn, and may be in the deque, unmarked.
  std::size_t passed_over = 0;
  os::Spin spin;

 private:
  void read_clock() noexcept;

  std::atomic<os::ThreadNumber> movable_{0};  // its own; -1 while another thread moves it
  std::atomic<std::uint64_t> endings_{0};     // odd while one lasts
  NumberRange numbers_{NumberRange::many};
  os::RoughStamp spread_at_ = 0;
  std::int64_t moves_ = 1;
  bool measures_ = false;
  Clock::time_point since_;
  os::RoughStamp rough_ = 0;
  std::size_t unmeasured_ = 0;
  std::size_t together_ = 1;
  std::size_t batch_size_ = 1;
};

// A call, or a piece of a map, that a thread is at. They lie on the thread's stack, the
// one that is waited for above the one that waits.
//
// An item is open, or settled by one of two: its thread (end_items), or whoever gives
// it up (`take_away`). The word decides, where somebody may.
class ThreadEngine::Frame final : public HereRun, public TaskContext {
 public:
  // From here on it's seen by whoever looks at the thread, under the engine's lock.
  Frame(Run& at, Job& what) noexcept
      : run(at), job(what), outer(at.top.load(std::memory_order_relaxed)) {
    is_timed_ = has_timeout(what);
    seed_sequence = JobStates::sequence_of(what.id());
  }
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  // Shows it to whoever looks at the threads, under the engine's lock; at the latest when
  // this thread has taken the job.
  void show() noexcept { run.top.store(this, std::memory_order_release); }
  void hide() noexcept { run.top.store(outer, std::memory_order_release); }
  // After it was hidden, and a fence: whoever has seen this frame is through with it before
  // it goes. Requires: no lock of the engine.
  void wait_for_lookers() noexcept {
    if (run.engine.looking_.load()) const std::lock_guard wait(run.engine.mutex_);
  }
  // Requires: the engine's lock.
  void hide_locked() noexcept { run.top.store(outer, std::memory_order_relaxed); }

  std::size_t begin_items(std::size_t first_of_them, std::size_t most) override {
    if (given_up.load(std::memory_order_acquire) || job.ready()) return 0;
    at(first_of_them);
    if (is_timed_) since_.store(Clock::now().time_since_epoch().count(), std::memory_order_relaxed);
    word_.store(open_item, std::memory_order_release);
    return is_timed_ ? 1 : std::min(most, at_once);
  }
  void failed(std::size_t item, std::exception_ptr error) override {
    const std::lock_guard lock(run.engine.mutex_);
    run.engine.fail_item(job, item, std::move(error));
    has_failed = true;
  }

  bool stop_requested() const noexcept override {
    return given_up.load(std::memory_order_acquire) || job.ready();
  }
  JobId id() const noexcept override { return job.id(); }
  std::uint64_t sequence() const noexcept override { return seed_sequence; }
  std::size_t index() const noexcept override { return current_item() + first_index; }
  void report(std::uint64_t, std::uint64_t) noexcept override {}

  using HereRun::take_away;
  bool is_timed() const noexcept { return is_timed_; }
  // What its thread has kept, for who looks, and for who accounts for it.
  std::size_t kept_items() const noexcept { return kept_.load(std::memory_order_relaxed); }
  std::size_t take_kept_items() noexcept { return kept_.exchange(0, std::memory_order_acquire); }
  bool has_open_item() const noexcept { return word_.load(std::memory_order_acquire) == open_item; }
  std::size_t item() const noexcept { return item_.load(std::memory_order_relaxed); }
  Clock::time_point since() const noexcept {
    return Clock::time_point(Clock::duration(since_.load(std::memory_order_relaxed)));
  }

  Run& run;
  Job& job;
  Frame* const outer;
  std::size_t first = 0;
  std::size_t count = 1;
  std::size_t first_index = 0;
  std::uint64_t seed_sequence = 0;
  std::size_t at_once = 1;  // items to begin together, where they have no deadlines
  bool has_failed = false;  // the thread's own
  std::atomic<bool> given_up{false};

 private:
  std::atomic<Clock::rep> since_{0};
};

// A task waits for what its thread can't run: others have its slot meanwhile.
class ThreadEngine::Gap {
 public:
  explicit Gap(Run& run) : run_(run) {
    ThreadEngine& engine = run.engine;
    Lock lock(engine.mutex_);
    engine.most_blocked_ = std::max(engine.most_blocked_, ++engine.blocked_);
    had_slot_ = run.has_slot;
    if (had_slot_) engine.free_slot(run, lock);
    run.is_nowhere();
    engine.offer_slot(lock, os::current_cpu());
  }
  Gap(const Gap&) = delete;
  Gap& operator=(const Gap&) = delete;
  ~Gap() {
    ThreadEngine& engine = run_.engine;
    run_.note_cpu();
    const std::lock_guard lock(engine.mutex_);
    --engine.blocked_;
    if (!had_slot_ || run_.left.load()) return;
    // At once, though all may be taken: who has them may wait for what this task holds.
    run_.has_slot = true;
    ++engine.active_;
    engine.reconsider_places();
  }

 private:
  Run& run_;
  bool had_slot_ = false;
};

// Null where the calling thread is not this pool's.
inline ThreadEngine::Run* ThreadEngine::own_run() const noexcept {
  return current_run && &current_run->engine == this ? current_run : nullptr;
}

// Looks at what all threads are at. Requires: the engine's lock.
template <typename Visit>
void ThreadEngine::for_each_frame(Lock&, const Visit& visit) {
  // A thread that hides a frame looks at this afterwards, and waits for the lock.
  looking_.store(true);
  for (const auto& run : all_runs_) {
    for (Frame* frame = run->top.load(); frame; frame = frame->outer) visit(*frame);
  }
  looking_.store(false);
}

}  // namespace brood::detail
