// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <brood/pool/job.hpp>

namespace brood::detail {

// Jobs that one thread has in line: the deque of Chase and Lev ("Dynamic circular
// work-stealing deque", 2005). Its owner puts jobs at the new end and may take them
// back there; anybody takes the oldest.
//
// Invariant: the jobs in [top, bottom) are in line. Only the owner moves `bottom`, but
// `top` is moved by whoever takes the oldest, and only upwards; so a compare-and-swap
// of it decides who gets a job. All moves are sequentially consistent: `pop` announces
// its claim on the newest before it looks at `top`, `take` looks at both the other way
// round. What was in a ring that became too small stays readable until the end.
class JobDeque {
 public:
  JobDeque() { hold(std::make_unique<Ring>(std::size_t{64})); }
  ~JobDeque() {
    while (Job* const job = pop()) job->release();
  }
  JobDeque(const JobDeque&) = delete;
  JobDeque& operator=(const JobDeque&) = delete;

  // The owner's. Takes the reference over.
  void push(JobRef<Job> job) {
    const auto bottom = bottom_.load(std::memory_order_relaxed);
    const auto top = top_.load(std::memory_order_acquire);
    Ring* ring = ring_.load(std::memory_order_relaxed);
    if (bottom - top == static_cast<std::int64_t>(ring->size)) ring = grow(*ring, top, bottom);
    ring->at(bottom).store(job.give_up(), std::memory_order_relaxed);
    // Publishes the job; pairs with the loads in `take`.
    bottom_.store(bottom + 1);
  }
  // The owner's: the newest, with its reference. Null when there's none.
  Job* pop() noexcept {
    const auto bottom = bottom_.load(std::memory_order_relaxed) - 1;
    bottom_.store(bottom);
    auto top = top_.load();
    Job* job = nullptr;
    if (top <= bottom) {
      job = ring_.load(std::memory_order_relaxed)->at(bottom).load(std::memory_order_relaxed);
      if (top < bottom) return job;
      // The last one, which others may take as the oldest.
      if (!top_.compare_exchange_strong(top, top + 1)) job = nullptr;
    }
    bottom_.store(bottom + 1, std::memory_order_release);
    return job;
  }
  // The owner's: whether this is the newest, unless somebody takes it.
  bool ends_with(const Job& job) const noexcept {
    const auto bottom = bottom_.load(std::memory_order_relaxed);
    if (top_.load(std::memory_order_relaxed) >= bottom) return false;
    return ring_.load(std::memory_order_relaxed)->at(bottom - 1).load(std::memory_order_relaxed) ==
           &job;
  }

  // Anybody's: the oldest, with its reference. Null when there's none.
  Job* take() noexcept {
    for (;;) {
      auto top = top_.load();
      if (top >= bottom_.load()) return nullptr;
      Job* const job =
          ring_.load(std::memory_order_acquire)->at(top).load(std::memory_order_relaxed);
      if (top_.compare_exchange_weak(top, top + 1)) return job;
    }
  }
  bool empty() const noexcept { return top_.load() >= bottom_.load(); }

 private:
  struct Ring {
    explicit Ring(std::size_t count)
        : size(count), jobs(std::make_unique<std::atomic<Job*>[]>(count)) {}
    std::atomic<Job*>& at(std::int64_t place) noexcept {
      return jobs[static_cast<std::size_t>(place) & (size - 1)];
    }
    const std::size_t size;  // a power of two
    std::unique_ptr<std::atomic<Job*>[]> jobs;
  };

  Ring* hold(std::unique_ptr<Ring> ring) {
    Ring* const held = ring.get();
    rings_.push_back(std::move(ring));
    // Publishes its contents; pairs with the acquire in `take`.
    ring_.store(held, std::memory_order_release);
    return held;
  }
  Ring* grow(Ring& old, std::int64_t top, std::int64_t bottom) {
    auto larger = std::make_unique<Ring>(2 * old.size);
    for (auto at = top; at != bottom; ++at) {
      larger->at(at).store(old.at(at).load(std::memory_order_relaxed), std::memory_order_relaxed);
    }
    return hold(std::move(larger));
  }

  alignas(64) std::atomic<std::int64_t> top_{0};
  alignas(64) std::atomic<std::int64_t> bottom_{0};  // the owner's
  std::atomic<Ring*> ring_{nullptr};                 // the owner's
  std::vector<std::unique_ptr<Ring>> rings_;         // the owner's: all that there ever were
};

}  // namespace brood::detail
