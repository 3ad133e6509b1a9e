// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <coroutine>
#include <deque>
#include <mutex>
#include <thread>

#include <brood/base/timeout.hpp>
#include <brood/pool/job.hpp>

namespace brood::detail {

// The one thread of a pool that runs its users' callbacks and resumes their
// coroutines, in the order in which the jobs settled. Started when it's first
// needed, if not before. What a callback throws is dropped: it concerns no job.
//
// Safety: any thread, the callback thread itself included.
class CallbackThread {
 public:
  CallbackThread() = default;
  ~CallbackThread() { drop(); }
  CallbackThread(const CallbackThread&) = delete;
  CallbackThread& operator=(const CallbackThread&) = delete;

  // The new thread is where its starter may run, and as nice.
  void start(Core& core);
  void post(JobRef<Job> job);
  // A coroutine is resumed in any case: where the thread has ended, by a new one.
  void post_resumption(JobRef<Job> job, std::coroutine_handle<> waiting);
  // Runs all that was posted, and ends the thread. False at the deadline. From a
  // callback it does not wait: the rest runs when that returns.
  bool finish(const Deadline& deadline);
  // Drops callbacks that have not begun, and ends the thread after what has.
  void drop() noexcept;

 private:
  struct Posted {
    JobRef<Job> job;
    std::coroutine_handle<> waiting;  // null: the job's callback is meant
  };

  void post(Posted posted);
  void start_locked(Core& core);
  void run() noexcept;
  static void carry_out(const Posted& posted) noexcept;
  bool is_own_thread() const noexcept;
  void join_once();

  std::mutex mutex_;
  // Guarded by mutex_.
  std::condition_variable changed_;
  std::deque<Posted> posted_;
  bool running_ = false;  // the thread has not come to its end
  bool ending_ = false;
  bool dropping_ = false;
  std::thread thread_;
};

}  // namespace brood::detail
