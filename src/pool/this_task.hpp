// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <brood/pool/job_id.hpp>

namespace brood::detail {

// The task that the calling thread runs, as brood::this_task tells of it.
class TaskContext {
 public:
  virtual bool stop_requested() const noexcept = 0;
  virtual JobId id() const noexcept = 0;
  // The job's number in its pool, which makes seeds the same in every run.
  virtual std::uint64_t sequence() const noexcept = 0;
  virtual std::size_t index() const noexcept = 0;
  virtual void report(std::uint64_t done, std::uint64_t total) noexcept = 0;

 protected:
  ~TaskContext() = default;
};

// What the calling thread runs; null for nothing.
extern constinit thread_local TaskContext* current_task;

// Sets it. Returns what it was.
inline TaskContext* exchange_task_context(TaskContext* task) noexcept {
  return std::exchange(current_task, task);
}

}  // namespace brood::detail
