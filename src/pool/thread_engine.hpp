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
#include "pool/backlog.hpp"
#include "pool/callback_thread.hpp"
#include "pool/id_table.hpp"

namespace brood::detail {

// The engine of Context::thread. See Core::make.
Core* make_thread_engine(const PoolOptions& options);

// Workers are threads of this program. Nothing can be killed here: what passes
// its timeout, or is cancelled while it runs, fails at once and is asked to stop;
// its thread is replaced (after the grace, where it was cancelled), and ends when
// the function returns.
//
// Each thread holds a reference to the engine, so that one which is left behind
// finds everything it needs until it ends.
class ThreadEngine final : public Core {
 public:
  explicit ThreadEngine(const PoolOptions& options);
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
  using Lock = std::unique_lock<std::mutex>;
  using Announced = std::vector<JobRef<Job>>;

  // Some functions below are called with mutex_ held; they take the lock to say
  // so, and may open it.
  void start_thread(Lock& lock);
  void work(Run& run) noexcept;
  void start_callbacks();
  void settle_down(const Run& run);
  void move_over(const Run& run) noexcept;
  std::vector<std::size_t> places_taken() const;
  bool takes_better_place(Run& run);
  bool initialize(const Run& run, Announced& settled);
  bool take_piece(Run& run, Lock& lock);
  void put_back(Run& run, Lock& lock);
  std::size_t chunk_of(const MapJob& map, std::size_t left) const;
  static std::size_t items_at_once(const MapJob& map);
  void account(Run& run, Announced& settled);
  void fail_item(Job& job, std::size_t item, std::exception_ptr error);
  void settle_if_complete(Job& job, Announced& settled);
  void settle_whole(Job& job, Job::Outcome outcome, std::exception_ptr error, Announced& settled);
  void finish_settling(Job& job, Job::Outcome outcome, Announced& settled);
  void give_up(Run& run, Announced& settled);
  void start_watching();
  void leave_deaf_behind(Clock::time_point now);
  void fill_up(Lock& lock, Announced& settled);
  void break_pool(std::exception_ptr why, Announced& settled);
  void watch_deadlines() noexcept;
  static void announce(const Announced& settled) noexcept;

  const PoolOptions options_;
  const std::size_t share_of_a_task_;
  const std::vector<os::Place> places_;
  const std::optional<int> niceness_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::condition_variable work_there_;
  std::condition_variable changed_;  // a thread ended, or nothing is unsettled
  Backlog backlog_;
  std::vector<std::shared_ptr<Run>> runs_;  // one a thread that belongs to the pool
  IdTable ids_;
  std::size_t wanted_workers_;
  bool has_shrunk_ = false;  // its places may be used unevenly
  std::uint64_t threads_named_ = 0;
  std::size_t unsettled_jobs_ = 0;
  bool closed_ = false;
  bool terminated_ = false;
  std::exception_ptr broken_;
  // Cancelled, and asked to stop until then.
  struct Grace {
    std::shared_ptr<Run> run;
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
