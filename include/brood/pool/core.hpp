// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include <brood/base/export.hpp>
#include <brood/base/timeout.hpp>
#include <brood/pool/job.hpp>

namespace brood {

// A snapshot of what a pool has done and is doing.
struct PoolStats {
  std::size_t workers = 0;                // alive now
  std::size_t queued = 0;                 // items that wait
  std::size_t running = 0;                // items that a worker has begun
  std::size_t done = 0;                   // items that returned
  std::size_t failed = 0;                 // items that threw, crashed or timed out
  std::size_t crashed = 0;                // workers that died while they ran an item
  std::size_t respawned = 0;              // workers born to replace another
  std::chrono::nanoseconds run_time{0};   // all items' execution, summed
  std::chrono::nanoseconds wait_time{0};  // from submission to execution, summed
};

struct PoolOptions;

namespace detail {

// What is behind a Pool, whatever its context: the engine. Counted, since threads of
// its own and those that wait for its jobs may outlive the Pool. Jobs don't count: none
// is pending when the last reference goes, and a settled one needs it no more.
//
// Safety: everything here may be called from any thread at once.
class BROOD_EXPORT Core {
 public:
  // The engine for options.context. Throws ValueError for options that make no
  // sense there, ContextError where this program can't have such workers.
  static Core* make(const PoolOptions& options);

  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept;
  // The one that the calling thread holds as long as it works for it; else null.
  static const Core* of_this_thread() noexcept;

  // Throws: ContextError in a copy of the process that made it, as a child that
  // the user forked is: there its locks may be held for ever, its threads are not.
  void require_own() const;
  bool is_own() const noexcept;

  // Whether workers are threads of this program: jobs are then run by run_here,
  // and nothing is encoded.
  virtual bool runs_here() const noexcept = 0;
  virtual std::size_t workers() const noexcept = 0;

  // Puts the job in line and gives it its id. Never blocks.
  // Throws: ValueError after close, BrokenPool, ContextError in a forked child.
  virtual void submit(const JobRef<Job>& job) = 0;
  // The same for who waits until it's ready. Requires: the Pool lives meanwhile.
  virtual void run(const JobRef<Job>& job);
  virtual bool wait(Job& job, const Deadline& deadline) = 0;
  // Completes what can be completed now. Never blocks.
  virtual void progress() = 0;
  virtual bool cancel(Job& job, Timeout grace) = 0;
  // Somebody who is not inside wait() wants to hear of this job's end.
  virtual void listen(Job& job) noexcept = 0;
  // Resumes a coroutine on the callback thread, after what was posted before.
  virtual void resume_later(const JobRef<Job>& job, std::coroutine_handle<> waiting) = 0;
  // Of a map in progress.
  virtual std::size_t settled_items(const MapJob& map) = 0;
  virtual JobState poll(JobId id) = 0;

  // No more jobs but of lazy maps that are being read: those are fed to their end,
  // or until join().
  void close_to_callers();
  // Not even those; terminate() follows.
  void refuse_callers() noexcept { closing_.store(true, std::memory_order_relaxed); }
  bool is_closed_to_callers() const noexcept { return closing_.load(std::memory_order_relaxed); }
  // A lazy map is being read. Throws ValueError after close_to_callers().
  void open_feed();
  void close_feed() noexcept;
  // What join() begins with: lazy maps get no more.
  void end_feeds();

  virtual void close() = 0;
  // Blocks: until every job is settled, its callback has run and the workers are
  // gone. True; false at the deadline. Throws ValueError before close.
  virtual bool join(const Deadline& deadline) = 0;
  // Cancels all that is not settled and ends the workers. Bounded.
  virtual void terminate() noexcept = 0;
  virtual void resize(std::size_t workers) = 0;
  virtual PoolStats stats() = 0;

 protected:
  Core() noexcept;
  virtual ~Core();

  // require_own() for who knows the process's generation.
  void require_own_of(std::uint64_t generation) const {
    if (generation != generation_) [[unlikely]] {
      require_own();
    }
  }

  // For the engines: Job keeps these to itself otherwise.
  static void set_id(Job& job, JobId id) noexcept { job.id_ = id; }
  // Null at the end of the thread's work.
  static void have_thread(const Core* core) noexcept;

 private:
  const std::uint64_t generation_;
  std::atomic<std::uint32_t> references_{1};
  std::atomic<bool> closing_{false};
  std::mutex feeds_mutex_;
  std::size_t feeds_ = 0;  // guarded by feeds_mutex_
};

}  // namespace detail
}  // namespace brood
