// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <deque>
#include <iterator>
#include <utility>
#include <vector>

#include <brood/pool/job.hpp>

namespace brood::detail {

// Jobs that wait for a worker: one line for each thread that submits, first in,
// first out; the lines take turns, so that a thread with a million tasks in line
// does not keep another's one waiting. What comes back goes before all of them.
//
// Safety: guarded by its engine's lock.
class Backlog {
 public:
  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }

  // Behind what the calling thread submitted before.
  void push_back(JobRef<Job> job) {
    Line& line = line_of(this_thread());
    line.jobs.push_back(std::move(job));
    ++size_;
  }
  void push_front(JobRef<Job> job) {
    returned_.push_front(std::move(job));
    ++size_;
  }

  // Whose turn it is. Requires: not empty.
  JobRef<Job>& front() noexcept {
    return returned_.empty() ? turn().jobs.front() : returned_.front();
  }
  void pop_front() noexcept {
    if (returned_.empty()) {
      turn().jobs.pop_front();
      pass_turn();
    } else {
      returned_.pop_front();
    }
    --size_;
  }
  // The front one has had a share, and stays: the next is another line's.
  void pass_turn() noexcept {
    if (lines_.size() > 1) at_ = (at_ + 1) % lines_.size();
  }

  template <typename Visit>
  void for_each(const Visit& visit) const {
    for (const auto& job : returned_) visit(*job);
    for (const Line& line : lines_) {
      for (const auto& job : line.jobs) visit(*job);
    }
  }
  void clear() noexcept {
    returned_.clear();
    lines_.clear();
    at_ = 0;
    size_ = 0;
  }

 private:
  struct Line {
    const void* thread;
    std::deque<JobRef<Job>> jobs;
  };

  // Of a thread that lives; one that ends may leave its place in a line to another.
  static const void* this_thread() noexcept {
    static thread_local const char here = 0;
    return &here;
  }

  // An empty line serves any thread, so that they stay few.
  Line& line_of(const void* thread) {
    Line* unused = nullptr;
    for (Line& line : lines_) {
      if (line.thread == thread) return line;
      if (line.jobs.empty()) unused = &line;
    }
    if (unused) {
      unused->thread = thread;
      return *unused;
    }
    lines_.push_back({thread, {}});
    return lines_.back();
  }

  Line& turn() noexcept {
    while (lines_[at_].jobs.empty()) at_ = (at_ + 1) % lines_.size();
    return lines_[at_];
  }

  std::deque<JobRef<Job>> returned_;
  std::vector<Line> lines_;
  std::size_t at_ = 0;
  std::size_t size_ = 0;
};

}  // namespace brood::detail
