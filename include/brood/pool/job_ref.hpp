// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>
#include <utility>

namespace brood::detail {

// An owning pointer to a job.
template <typename Kind>
class JobRef {
 public:
  JobRef() noexcept = default;
  // Takes over the reference that the caller holds.
  static JobRef adopt(Kind* job) noexcept {
    JobRef ref;
    ref.job_ = job;
    return ref;
  }
  static JobRef share(Kind* job) noexcept {
    if (job) job->retain();
    return adopt(job);
  }
  JobRef(const JobRef& other) noexcept : job_(other.job_) {
    if (job_) job_->retain();
  }
  JobRef(JobRef&& other) noexcept : job_(std::exchange(other.job_, nullptr)) {}
  template <typename Derived>
    requires std::is_convertible_v<Derived*, Kind*>
  JobRef(const JobRef<Derived>& other) noexcept : JobRef(share(other.get())) {}
  template <typename Derived>
    requires std::is_convertible_v<Derived*, Kind*>
  JobRef(JobRef<Derived>&& other) noexcept : job_(other.give_up()) {}
  JobRef& operator=(JobRef other) noexcept {
    std::swap(job_, other.job_);
    return *this;
  }
  ~JobRef() {
    if (job_) job_->release();
  }

  Kind* get() const noexcept { return job_; }
  Kind* operator->() const noexcept { return job_; }
  Kind& operator*() const noexcept { return *job_; }
  explicit operator bool() const noexcept { return job_ != nullptr; }
  Kind* give_up() noexcept { return std::exchange(job_, nullptr); }

 private:
  Kind* job_ = nullptr;
};

}  // namespace brood::detail
