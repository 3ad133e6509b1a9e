// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <brood/pool/work.hpp>

#include "lane/layout.hpp"
#include "pool/line.hpp"

namespace brood::detail {

// Jobs that wait for a worker: one line for each thread that submits, first in,
// first out; the lines take turns, so that a thread with a million tasks in line
// does not keep another's one waiting. What comes back goes before all of them.
//
// Safety: guarded by its engine's lock, but for own_line.
class Backlog {
 public:
  Backlog();
  ~Backlog();
  Backlog(const Backlog&) = delete;
  Backlog& operator=(const Backlog&) = delete;

  // The calling thread's line, where it has one that it may use without the lock.
  // Safety: without the lock.
  Line* own_line() const noexcept;
  // Gives the calling thread one, as long as it lives.
  Line& make_own_line();
  void push_front(JobRef<Job> job) {
    returned_.push_back(std::move(job));
    ++size_;
  }

  // Takes notice of what has come without the lock. How many.
  std::size_t look() noexcept;
  // As of the last look:
  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }

  // Whose turn it is. Requires: not empty.
  Job& front() noexcept { return returned_.empty() ? turn().front() : *returned_.back(); }
  JobRef<Job> take_front() noexcept;
  // The front one has had a share, and stays: the next is another line's.
  void pass_turn() noexcept {
    if (lines_.size() > 1) at_ = (at_ + 1) % lines_.size();
  }
  // One whose turn comes soon: another core wrote it, and it takes a while to come over.
  void prefetch_soon() const noexcept {
    constexpr std::size_t places = 8;
    if (!returned_.empty() || size_ == 0) return;
    const auto* const job = reinterpret_cast<const std::byte*>(lines_[at_].line->soon(places));
    if (!job) return;
    __builtin_prefetch(job, 1);
    __builtin_prefetch(job + lane::cache_line, 1);
    __builtin_prefetch(job + sizeof(CallJob) - 1, 1);
  }

  template <typename Visit>
  void for_each(const Visit& visit) const {
    for (const auto& job : returned_) visit(*job);
    for (const Seat& seat : lines_) seat.line->for_each(visit);
  }
  void clear() noexcept;

 private:
  // Who submits into a line, and whether that has ended.
  struct Submitter {
    std::atomic<bool> is_gone{false};
  };
  struct Seat {
    std::shared_ptr<Submitter> submitter;
    std::unique_ptr<Line> line;
  };
  class Mine;

  Line& turn() noexcept {
    while (lines_[at_].line->size() == 0) at_ = (at_ + 1) % lines_.size();
    return *lines_[at_].line;
  }

  const std::uint64_t number_;  // of all backlogs there ever were; read without the lock
  alignas(64) std::vector<JobRef<Job>> returned_;  // the next one last
  std::vector<Seat> lines_;
  std::size_t at_ = 0;
  std::size_t size_ = 0;
};

}  // namespace brood::detail
