// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <utility>

#include <brood/pool/job.hpp>

#include "pool/brief_lock.hpp"
#include "pool/job_states.hpp"
#include "pool/number_range.hpp"

namespace brood::detail {

// Where threads put their jobs in line: each in a line of its own, first in, first out.
// A line that is empty serves another thread, so that they stay few. None is removed
// before the end, so they're walked without a lock.
class JobLines {
 public:
  using InLine = std::unique_lock<BriefLock>;

  class alignas(64) Line {
   public:
    BriefLock mutex;
    // Guarded by mutex.
    std::deque<JobRef<Job>> jobs;
    const void* thread = nullptr;
    // Written under mutex, read by anybody. `size` is sequentially consistent: who goes
    // to sleep looks at it after it has said so, who fills it looks for sleepers later.
    std::atomic<std::size_t> size{0};
    std::atomic<std::uint64_t> entered{0};  // ever

    // Requires: mutex held, here and below.
    // For a job that enters.
    JobId next_id(JobStates& states) noexcept { return states.next(numbers_); }
    void push(JobRef<Job> job) {
      jobs.push_back(std::move(job));
      entered.store(entered.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      size.store(jobs.size());
    }
    // One that entered before.
    void put_back(JobRef<Job> job) {
      jobs.push_back(std::move(job));
      size.store(jobs.size());
    }
    JobRef<Job> pop() {
      JobRef<Job> job = std::move(jobs.front());
      jobs.pop_front();
      return job;
    }
    // After some were taken out.
    void count() noexcept { size.store(jobs.size(), std::memory_order_release); }

   private:
    friend class JobLines;
    NumberRange numbers_;
    Line* next_ = nullptr;
  };

  JobLines() = default;
  JobLines(const JobLines&) = delete;
  JobLines& operator=(const JobLines&) = delete;
  ~JobLines() {
    while (Line* const line = first_.load(std::memory_order_relaxed)) {
      first_.store(line->next_, std::memory_order_relaxed);
      delete line;
    }
  }

  // The calling thread's line, locked.
  std::pair<Line*, InLine> own() {
    static thread_local struct {
      std::uint64_t lines = 0;
      Line* line = nullptr;
    } latest;
    const void* const self = &latest;
    if (latest.lines == number_) {
      InLine lock(latest.line->mutex);
      if (latest.line->thread == self) return {latest.line, std::move(lock)};
    }
    auto found = find(self);
    latest.lines = number_;
    latest.line = found.first;
    return found;
  }

  // The first that isn't empty, from the one on whose turn it is; locked. Then it's the
  // next one's turn. Null when all are empty. Requires: one thread at a time.
  std::pair<Line*, InLine> next_turn() {
    Line* line = turn_ ? turn_ : first();
    if (!line) return {};
    Line* const last = line;
    do {
      Line* const after = next(*line) ? next(*line) : first();
      if (line->size.load(std::memory_order_relaxed) != 0) {
        InLine lock(line->mutex);
        if (!line->jobs.empty()) {
          turn_ = after;
          return {line, std::move(lock)};
        }
      }
      line = after;
    } while (line != last);
    return {};
  }

  bool empty() const noexcept {
    for (Line* line = first(); line; line = next(*line)) {
      if (line->size.load() != 0) return false;
    }
    return true;
  }
  std::uint64_t entered() const noexcept {
    std::uint64_t sum = 0;
    for (Line* line = first(); line; line = next(*line)) sum += line->entered.load();
    return sum;
  }

  Line* first() const noexcept { return first_.load(std::memory_order_acquire); }
  static Line* next(const Line& line) noexcept { return line.next_; }

 private:
  static std::uint64_t new_number() noexcept {
    static std::atomic<std::uint64_t> latest{0};
    return latest.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  std::pair<Line*, InLine> find(const void* self) {
    const std::lock_guard all(adding_);
    for (const auto fits :
         {+[](const Line& line, const void* thread) { return line.thread == thread; },
          +[](const Line& line, const void*) { return line.jobs.empty(); }}) {
      for (Line* line = first(); line; line = next(*line)) {
        InLine lock(line->mutex);
        if (!fits(*line, self)) continue;
        line->thread = self;
        return {line, std::move(lock)};
      }
    }
    auto* const line = new Line;
    InLine lock(line->mutex);
    line->thread = self;
    line->next_ = first();
    first_.store(line, std::memory_order_release);
    return {line, std::move(lock)};
  }

  const std::uint64_t number_ =
      new_number();  // lines of an engine that is gone may have had this address
  std::mutex adding_;
  std::atomic<Line*> first_{nullptr};
  Line* turn_ = nullptr;
};

}  // namespace brood::detail
