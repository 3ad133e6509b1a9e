// SPDX-License-Identifier: MIT
#include "pool/callback_thread.hpp"

#include <brood/pool/core.hpp>

#include "os/child_setup.hpp"
#include "process/home.hpp"

namespace brood::detail {

void CallbackThread::post(JobRef<Job> job) { post(Posted{std::move(job), nullptr}); }

void CallbackThread::post_resumption(JobRef<Job> job, std::coroutine_handle<> waiting) {
  post(Posted{std::move(job), waiting});
}

void CallbackThread::start(Core& core) {
  const std::lock_guard lock(mutex_);
  if (!running_) start_locked(core);
}

void CallbackThread::start_locked(Core& core) {
  if (thread_.joinable()) thread_.detach();  // it has run all that it will
  // The thread's last act may be to let the engine go, and this with it.
  core.retain();
  try {
    thread_ = process::start_own_thread("brood-callback", [this, &core] {
      run();
      const process::ForeignWork ending;
      core.release();
    });
  } catch (...) {
    core.release();
    throw;
  }
  running_ = true;
}

void CallbackThread::post(Posted posted) {
  const std::lock_guard lock(mutex_);
  if (dropping_ && !posted.waiting) return;
  Core& core = posted.job->core();
  posted_.push_back(std::move(posted));
  if (!running_) start_locked(core);
  changed_.notify_all();
}

void CallbackThread::run() noexcept {
  os::block_signals();
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return !posted_.empty() || ending_; });
    if (posted_.empty()) break;
    lock.unlock();
    const process::ForeignWork a_user_s;  // one after another, so that a fork can come between
    lock.lock();
    if (posted_.empty()) continue;  // dropped meanwhile
    Posted next = std::move(posted_.front());
    posted_.pop_front();
    lock.unlock();
    carry_out(next);
    next = {};
    lock.lock();
  }
  running_ = false;
  changed_.notify_all();
}

void CallbackThread::carry_out(const Posted& posted) noexcept {
  try {
    if (posted.waiting) {
      posted.waiting.resume();
    } else {
      posted.job->run_callback();
    }
  } catch (...) {
    // A callback's own affair.
  }
}

bool CallbackThread::is_own_thread() const noexcept {
  return thread_.get_id() == std::this_thread::get_id();
}

void CallbackThread::join_once() {
  std::thread ended;
  {
    const std::lock_guard lock(mutex_);
    ended = std::move(thread_);
  }
  if (ended.joinable()) ended.join();
}

bool CallbackThread::finish(const Deadline& deadline) {
  {
    std::unique_lock lock(mutex_);
    ending_ = true;
    changed_.notify_all();
    if (is_own_thread()) return true;
    const auto ended = [&] { return !running_; };
    if (deadline.is_never()) {
      changed_.wait(lock, ended);
    } else if (!changed_.wait_until(lock, deadline.at(), ended)) {
      return false;
    }
  }
  join_once();
  return true;
}

void CallbackThread::drop() noexcept {
  std::deque<Posted> dropped;  // their users' destructors run with the lock open
  {
    std::unique_lock lock(mutex_);
    ending_ = dropping_ = true;
    dropped.swap(posted_);
    for (Posted& posted : dropped) {
      if (posted.waiting) posted_.push_back(std::move(posted));
    }
    changed_.notify_all();
    if (is_own_thread()) {
      if (thread_.joinable()) thread_.detach();
      return;
    }
    changed_.wait(lock, [&] { return !running_; });
  }
  join_once();
}

}  // namespace brood::detail
