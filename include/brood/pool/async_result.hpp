// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <functional>
#include <type_traits>
#include <utility>

#include <brood/base/error.hpp>
#include <brood/base/export.hpp>
#include <brood/base/timeout.hpp>
#include <brood/pool/job.hpp>
#include <brood/pool/job_id.hpp>
#include <brood/pool/value_job.hpp>

namespace brood {
namespace detail {

// How long a cancelled task may take to notice, where nothing else is said.
inline constexpr std::chrono::milliseconds default_grace{100};

[[noreturn]] BROOD_EXPORT void throw_empty_result();
[[noreturn]] BROOD_EXPORT void throw_result_timeout(const Job& job);
[[noreturn]] BROOD_EXPORT void throw_not_ready(const Job& job);
// Looks whether the job is ready, and completes what can be completed.
BROOD_EXPORT bool look_at(Job& job);
// Runs `resume` on the pool's callback thread once the job is ready. False when
// it's ready already.
BROOD_EXPORT bool resume_after(Job& job, std::coroutine_handle<> resume);

}  // namespace detail

// The outcome of a submitted task, now or later. A cheap handle: copies share
// one outcome, which outlives the pool; dropping them cancels nothing.
//
// A default-constructed one is empty: everything but `==`, hash and assignment
// throws ValueError there.
//
// Safety: one handle by one thread at a time; copies by many.
template <typename Value>
class AsyncResult {
 public:
  AsyncResult() noexcept = default;

  // The value, or throws the error that the task ended with: what its function
  // threw (also a RemoteError), WorkerCrashed, TaskTimeout, CancelledError. From
  // an lvalue the value stays; from an rvalue it's moved out, for all copies.
  // Blocks: until the task has ended, or the timeout has passed, which throws
  // TimeoutError; the task goes on.
  std::add_lvalue_reference_t<std::add_const_t<Value>> get(Timeout timeout = {}) const& {
    require_value(timeout);
    if constexpr (!std::is_void_v<Value>) return source_->value();
  }
  Value get(Timeout timeout = {}) && {
    require_value(timeout);
    if constexpr (!std::is_void_v<Value>) return std::move(source_->value());
  }

  // Blocks: until the task has ended. False when the timeout passed first.
  bool wait(Timeout timeout = {}) const { return job().wait(Deadline(timeout)); }
  bool ready() const { return detail::look_at(job()); }
  // Throws: ValueError while it's not ready.
  bool successful() const {
    if (!ready()) detail::throw_not_ready(job());
    job().open();
    return !job().error();
  }

  // Withdraws a queued task; asks a running one to stop (this_task::stop_token),
  // and kills its worker after the grace. The outcome is CancelledError at once.
  // False when the task had ended already. Never blocks.
  bool cancel(Timeout grace = detail::default_grace) const { return job().cancel(grace); }

  JobId id() const { return job().id(); }

  friend bool operator==(const AsyncResult& left, const AsyncResult& right) noexcept {
    return left.source_ == right.source_;
  }

  // In any C++20 coroutine: the value, or throws. It goes on on the pool's
  // callback thread, or at once where the result is ready.
  auto operator co_await() const& { return Awaiter<const AsyncResult&>{*this}; }
  auto operator co_await() && { return Awaiter<AsyncResult>{std::move(*this)}; }

  // For the library.
  AsyncResult(detail::JobRef<detail::Job> job, detail::ValueJob<Value>& source) noexcept
      : job_(std::move(job)), source_(&source) {}
  detail::Job& job() const {
    if (!job_) detail::throw_empty_result();
    return *job_;
  }
  const detail::JobRef<detail::Job>& job_ref() const noexcept { return job_; }

 private:
  template <typename Held>
  struct Awaiter {
    Held result;
    bool await_ready() const { return result.ready(); }
    bool await_suspend(std::coroutine_handle<> waiting) const {
      return detail::resume_after(result.job(), waiting);
    }
    decltype(auto) await_resume() { return std::forward<Held>(result).get(); }
  };

  void require_value(Timeout timeout) const {
    if (job().has_value()) return;
    if (!wait(timeout)) detail::throw_result_timeout(*job_);
    if (job_->has_value()) return;
    job_->open();
    if (job_->error()) std::rethrow_exception(job_->error());
  }

  detail::JobRef<detail::Job> job_;
  detail::ValueJob<Value>* source_ = nullptr;  // a part of *job_
};

}  // namespace brood

template <typename Value>
struct std::hash<brood::AsyncResult<Value>> {
  std::size_t operator()(const brood::AsyncResult<Value>& result) const noexcept {
    return std::hash<const void*>{}(result.job_ref().get());
  }
};
