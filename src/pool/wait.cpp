// SPDX-License-Identifier: MIT
#include <brood/pool/wait.hpp>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>

#include <brood/pool/core.hpp>

#include "pool/visit.hpp"

namespace brood::detail {

class Watch::State final : public Observer {
 public:
  explicit State(std::vector<JobRef<Job>> jobs) : jobs_(std::move(jobs)) {
    for (std::size_t place = 0; place < jobs_.size(); ++place) {
      places_.emplace(jobs_[place].get(), place);
    }
    // Those that are ready first, before others get ready.
    for (const auto& job : jobs_) {
      if (look_at(*job)) push(*job);
    }
    for (const auto& job : jobs_) {
      if (!known(*job) && !job->watch(*this)) push(*job);
    }
  }

  ~State() {
    for (const auto& job : jobs_) job->unwatch(*this);
  }

  void settled(Job& job) noexcept override { push(job); }

  std::optional<std::size_t> next(const Deadline& deadline) {
    std::unique_lock lock(mutex_);
    const auto there = [&] { return !settled_.empty(); };
    if (deadline.is_never()) {
      changed_.wait(lock, there);
    } else if (!changed_.wait_until(lock, deadline.at(), there)) {
      return std::nullopt;
    }
    const std::size_t place = settled_.front();
    settled_.pop_front();
    return place;
  }

 private:
  bool known(const Job& job) {
    const std::lock_guard lock(mutex_);
    return !places_.contains(&job);
  }

  void push(const Job& job) noexcept {
    const std::lock_guard lock(mutex_);
    const auto place = places_.find(&job);
    if (place == places_.end()) return;
    settled_.push_back(place->second);
    places_.erase(place);
    changed_.notify_one();
  }

  std::vector<JobRef<Job>> jobs_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::condition_variable changed_;
  std::unordered_map<const Job*, std::size_t> places_;  // of those not settled yet
  std::deque<std::size_t> settled_;                     // not handed out yet
};

Watch::Watch(std::vector<JobRef<Job>> jobs) : left_(jobs.size()) {
  state_ = std::make_unique<State>(std::move(jobs));
}

Watch::~Watch() = default;

std::optional<std::size_t> Watch::next(const Deadline& deadline) {
  const auto place = state_->next(deadline);
  if (place) --left_;
  return place;
}

void wait_for(const std::vector<JobRef<Job>>& jobs, const Deadline& deadline, ReturnWhen when) {
  if (jobs.empty()) return;
  if (when == ReturnWhen::all_completed) {
    // One after the other: whoever waits for a job completes others as well.
    for (const auto& job : jobs) {
      if (!job->wait(deadline)) return;
    }
    return;
  }
  Watch watch(jobs);
  while (watch.left() != 0) {
    const auto place = watch.next(deadline);
    if (!place || when == ReturnWhen::first_completed) return;
    Job& job = *jobs[*place];
    job.open();
    if (job.outcome() == Job::Outcome::failed) return;
  }
}

bool look_at(Job& job) {
  if (const Job::Visit visit(job); visit) visit.core().progress();
  return job.ready();
}

namespace {

std::string name_of(const Job& job) { return "task " + std::to_string(job.id().number); }

// Waits for one job on behalf of a coroutine, and is gone after that.
class Resumption final : public Observer {
 public:
  Resumption(Job& job, std::coroutine_handle<> waiting)
      : job_(JobRef<Job>::share(&job)), waiting_(waiting) {}

  void settled(Job&) noexcept override {
    const JobRef<Job> job = std::move(job_);
    // Whoever settles it holds the core.
    job->core().resume_later(job, waiting_);
    delete this;
  }

 private:
  JobRef<Job> job_;
  std::coroutine_handle<> waiting_;
};

}  // namespace

bool resume_after(Job& job, std::coroutine_handle<> resume) {
  if (const Job::Visit visit(job); visit) visit.core().require_own();
  auto* const observer = new Resumption(job, resume);
  if (job.watch(*observer)) return true;
  delete observer;
  return false;
}

void throw_empty_result() {
  throw ValueError("cannot use this AsyncResult: it's empty; assign one that a pool returned");
}

void throw_result_timeout(const Job& job) {
  throw TimeoutError("cannot get the result of " + name_of(job) +
                     ": it's not there yet; the task goes on");
}

void throw_not_ready(const Job& job) {
  throw ValueError("cannot tell whether " + name_of(job) +
                   " was successful: it's not ready; wait() first");
}

void throw_unfinished(std::size_t unfinished, std::size_t all) {
  throw TimeoutError(std::to_string(unfinished) + " (of " + std::to_string(all) +
                     ") results unfinished");
}

}  // namespace brood::detail
