// SPDX-License-Identifier: MIT
#pragma once

#include <brood/pool/job.hpp>

namespace brood::detail {

class Job::Visit {
 public:
  // Requires: the caller has a reference to the job.
  explicit Visit(Job& job) noexcept : job_(job), entered_(job.enter()) {}
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  ~Visit() {
    if (entered_) job_.leave();
  }

  // False: the job is ready.
  explicit operator bool() const noexcept { return entered_; }
  Core& core() const noexcept { return *job_.core_; }

 private:
  Job& job_;
  const bool entered_;
};

}  // namespace brood::detail
