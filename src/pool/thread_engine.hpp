// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <brood/pool/core.hpp>
#include <brood/pool/here_run.hpp>
#include <brood/pool/options.hpp>
#include <brood/pool/work.hpp>

#include "os/place.hpp"
#include "os/rough_clock.hpp"
#include "os/spin.hpp"
#include "pool/callback_thread.hpp"
#include "pool/job_lines.hpp"
#include "pool/job_states.hpp"
#include "pool/pool_size.hpp"

namespace brood::detail {

// The engine of Context::thread. See Core::make.
Core* make_thread_engine(const PoolOptions& options);

// Workers are threads of this program. Nothing can be killed here: what passes
// its timeout, or is cancelled while it runs, fails at once and is asked to stop;
// its thread is replaced (after the grace, where it was cancelled), and ends when
// the function returns.
//
// What a task submits goes into its thread's own deque; other threads have a line each.
// An idle thread looks there, in this order, and then into the deques of the others.
// `Job::take` decides who runs a call, wherever it stands: a task that waits for one
// which nobody has begun runs it itself, and what is left in a line is passed over.
//
// A task that waits for one which another thread runs gives up its slot, of which
// there are as many as workers were asked for: another thread, a new one if need be,
// runs what is in line meanwhile. So no task waits for one that it does not ask for,
// and a pool of one thread has room for all that wait for each other.
//
// Each thread holds a reference to the engine, so that one which is left behind
// finds everything it needs until it ends.
class ThreadEngine final : public Core {
 public:
  ThreadEngine(const PoolOptions& options, const PoolSize& size);
  ~ThreadEngine() override;
  void start();

  bool runs_here() const noexcept override { return true; }
  std::size_t workers() const noexcept override;
  void submit(const JobRef<Job>& job) override;
  bool wait(Job& job, const Deadline& deadline) override;
  void progress() override { require_own(); }
  bool cancel(Job& job, Timeout grace) override;
  void listen(Job&) noexcept override {}
  void resume_later(const JobRef<Job>& job, std::coroutine_handle<> waiting) override;
  std::size_t settled_items(const MapJob& map) override;
  JobState poll(JobId id) override;
  void close() override;
  bool join(const Deadline& deadline) override;
  void terminate() noexcept override;
  void resize(std::size_t workers) override;
  PoolStats stats() override;

 private:
  using Clock = std::chrono::steady_clock;
  class Run;
  class Frame;
  class Gap;
  using Lock = std::unique_lock<std::mutex>;
  using Announced = std::vector<JobRef<Job>>;
  using Dropped = std::vector<JobRef<Job>>;
  struct Piece {
    std::size_t first = 0;
    std::size_t count = 0;
  };

  // Some functions below are called with mutex_ held; they take the lock to say
  // so, and may open it.

  // Threads.
  Run& unused_run(Lock& lock);
  void start_thread(Lock& lock);
  void fill_up(Lock& lock, Announced& settled);
  bool initialize(const Run& run, Announced& settled);
  void start_callbacks();
  void work(Run& run) noexcept;
  Run* own_run() const noexcept;

  // Places.
  std::vector<std::size_t> places_taken() const;
  void reconsider_places() noexcept;
  void settle_down(const Run& run);
  void move_over(Run& run) noexcept;
  bool shares_cpu(Run& run) const noexcept;
  void spread(Run& run) noexcept;
  void wake_at(Run& heir, int cpu) noexcept;

  // Sleeping and waking.
  bool has_work() const noexcept;
  bool is_somebody_idle() const noexcept {
    return sleepers_.load() != 0 || active_.load() < wanted_workers_.load();
  }
  void wake(std::size_t threads) noexcept;
  void rouse(std::size_t threads) noexcept;
  void rouse_all() noexcept;
  void idle(Run& run) noexcept;
  bool has_surplus() const noexcept { return active_.load() > wanted_workers_.load(); }
  bool keeps_slot(Run& run) noexcept;
  void free_slot(Run& run, Lock& lock) noexcept;
  void offer_slot(Lock& lock, int cpu = -1) noexcept;

  // Into line.
  [[noreturn]] void refuse();
  bool enter_line(Job& job);
  void submit_map(const JobRef<Job>& job, MapJob& map);
  void rescue(Run& run) noexcept;
  void put_back(Run& run) noexcept;
  // Safety: also while another thread settles it.
  static bool has_timeout(const Job& job) noexcept {
    return job.has_extras() && !job.extras_or_null()->timeout.is_forever();
  }
  bool look_for(const Job& job, const Deadline& deadline, os::Spin& spin) noexcept;
  static bool sleep_until_ready(Job& job, const Deadline& deadline);
  bool wait_outside(Job& job, const Deadline& deadline);
  bool wait_for_others(Run& run, Job& job, const Deadline& deadline);

  // Out of it.
  bool work_once(Run& run);
  bool work_from_lines(Run& run);
  void pass_on(Run& run) noexcept;
  void run_first(Run& run, Job& job) noexcept;
  void run_call(Run& run, Job& job, os::RoughStamp now) noexcept;
  static bool has_items(const MapJob& map) noexcept;
  Piece take_piece(MapJob& map);
  void run_piece(Run& run, MapJob& map, Piece piece, Lock& lock) noexcept;
  std::size_t chunk_of(const MapJob& map, std::size_t left) const;
  static std::size_t items_at_once(const MapJob& map);
  void help(Run& run, Job& job) noexcept;
  void help_map(Run& run, MapJob& map) noexcept;
  void drop_passed_over(Run& run) noexcept;

  // Outcomes.
  void settle_call(Frame& frame) noexcept;
  void settle_slowly(Frame& frame) noexcept;
  void account(Frame& frame, Announced& settled);
  void fail_item(Job& job, std::size_t item, std::exception_ptr error);
  void settle_if_complete(Job& job, Announced& settled);
  bool settle_whole(Job& job, Job::Outcome outcome, std::exception_ptr error, Announced& settled);
  void finish_settling(Job& job, Job::Outcome outcome, Announced& settled);
  void settle_ended(Job& job) noexcept;
  void withdraw(Job& job) noexcept;
  void wait_for_endings() noexcept;
  bool all_settled() const noexcept;
  void finish_if_settled(Lock& lock) noexcept;
  void finish() noexcept;
  static void announce(const Announced& settled) noexcept;

  // Stopping.
  template <typename Visit>
  void for_each_frame(Lock& lock, const Visit& visit);
  void give_up(Frame& frame, Lock& lock, Announced& settled);
  void leave_behind(Run& run, Lock& lock) noexcept;
  void leave_deaf_behind(Lock& lock, Clock::time_point now);
  void start_watching();
  void watch_deadlines() noexcept;
  void end_pool(Job::Outcome outcome, std::exception_ptr why, Lock& lock, Announced& settled,
                Dropped& dropped);
  void settle_all(Lock& lock, Announced& settled, Dropped& dropped);
  void break_pool(std::exception_ptr why, Lock& lock, Announced& settled);

  static constinit thread_local Run* current_run;

  const PoolOptions options_;
  const std::size_t cpus_;
  const std::size_t share_of_a_task_;
  const std::vector<os::Place> places_;
  const std::optional<int> niceness_;

  JobStates states_;
  JobLines lines_;
  std::atomic<Run*> runs_ever_{nullptr};  // a list that only grows: for thieves
  // What threads look at between tasks, and who submits looks at first. Sequentially
  // consistent: each is one half of a pair, store and look, look and store.
  std::atomic<bool> refuses_{false};            // closed, broken or terminated
  std::atomic<bool> ended_{false};              // broken or terminated
  std::atomic<bool> finished_{false};           // closed, and all is settled
  std::atomic<bool> looking_{false};            // somebody looks at the frames
  std::atomic<std::size_t> active_{0};          // slots that are taken. Written under mutex_
  std::atomic<std::size_t> wanted_workers_;     // likewise
  std::atomic<std::size_t> returned_count_{0};  // likewise
  // The sleep of idle threads: a word to sleep on, who does, and whether one is on its
  // way already.
  alignas(64) std::atomic<std::uint32_t> epoch_{0};
  std::atomic<std::uint32_t> sleepers_{0};
  std::atomic<bool> waking_{false};
  std::atomic<bool> spreading_{false};  // one moves to another CPU
  std::atomic<std::uint32_t> spinners_{0};
  std::atomic<std::uint32_t> outside_waiters_{0};  // threads that are not at a task

  alignas(64) mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::condition_variable changed_;  // a thread ended, or nothing is unsettled
  std::vector<std::unique_ptr<Run>> all_runs_;
  std::vector<Run*> runs_;            // one a thread that belongs to the pool
  std::deque<JobRef<Job>> returned_;  // maps, of which a piece came back
  std::vector<Run*> parked_;          // threads that wait for a slot
  std::size_t most_blocked_ = 0;
  std::size_t blocked_ = 0;
  std::uint64_t threads_named_ = 0;
  std::uint64_t settled_slowly_ = 0;  // jobs, not by the thread that ran them
  std::uint64_t maps_submitted_ = 0;
  std::uint64_t maps_of_nothing_ = 0;  // they never were in a line
  std::uint64_t withdrawn_ = 0;        // calls that nobody had begun
  std::size_t queued_items_ = 0;       // of maps
  bool closed_ = false;
  bool terminated_ = false;
  std::exception_ptr broken_;
  Job::Outcome ended_outcome_ = Job::Outcome::cancelled;  // of what wasn't settled then
  std::exception_ptr ended_why_;
  Dropped dropped_;  // of a broken pool
  // Cancelled, and asked to stop until then.
  struct Grace {
    Run* run;
    JobRef<Job> job;
    Clock::time_point end;
  };
  std::vector<Grace> graces_;
  bool watching_ = false;
  std::condition_variable deadlines_changed_;
  PoolStats counted_;
  CallbackThread callbacks_;
};

}  // namespace brood::detail
