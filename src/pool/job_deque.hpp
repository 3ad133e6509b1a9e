// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
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
//
// A job that was run before its turn may stay in line, marked, with the deque's reference:
// whoever takes it drops it. The owner need not ask the job itself, which might be gone.
class JobDeque {
 public:
  JobDeque() { hold(std::make_unique<Ring>(std::size_t{64})); }
  ~JobDeque() {
    while (Job* const job = pop()) job->release();
  }
  JobDeque(const JobDeque&) = delete;
  JobDeque& operator=(const JobDeque&) = delete;

  // The owner's. Takes the reference over. Of one that looked here before, and has said that
  // it sleeps, the caller can know afterwards.
  void push(JobRef<Job> job) {
    put(job.get(), std::memory_order_seq_cst);
    job.give_up();
  }
  // The same of many, which the caller announces at their end.
  void push_one_of_many(JobRef<Job> job) {
    put(job.get(), std::memory_order_release);
    job.give_up();
  }
  void announce() noexcept { bottom_.store(bottom_.load(std::memory_order_relaxed)); }
  // The owner's: the newest, with its reference. Null when there's none.
  Job* pop() noexcept {
    const auto bottom = bottom_.load(std::memory_order_relaxed) - 1;
    bottom_.store(bottom);
    auto top = top_.load();
    Job* job = nullptr;
    if (top <= bottom) {
      job = job_of(own_entry(bottom));
      if (top < bottom) return job;
      // The last one, which others may take as the oldest.
      if (!top_.compare_exchange_strong(top, top + 1)) job = nullptr;
    }
    bottom_.store(bottom + 1, std::memory_order_release);
    return job;
  }
  // The owner's, who runs this one before its turn: takes it out of line where it's one of
  // the ends, marks it where it's near the newest.
  enum class Withdrawn { taken, marked, not_found };
  Withdrawn withdraw(const Job& job) noexcept {
    constexpr std::int64_t few = 4;
    const auto bottom = bottom_.load(std::memory_order_relaxed);
    auto top = top_.load();
    if (top >= bottom) return Withdrawn::not_found;
    // Where another thread takes it now it's that one's to drop.
    if (job_of(own_entry(bottom - 1)) == &job) {
      return pop() ? Withdrawn::taken : Withdrawn::marked;
    }
    if (job_of(own_entry(top)) == &job) {
      return top_.compare_exchange_strong(top, top + 1) ? Withdrawn::taken : Withdrawn::marked;
    }
    for (auto at = bottom - 1; at-- > std::max(top, bottom - few);) {
      if (job_of(own_entry(at)) != &job) continue;
      own_place(at).store(reinterpret_cast<Entry>(&job) | passed_over, std::memory_order_relaxed);
      return Withdrawn::marked;
    }
    return Withdrawn::not_found;
  }
  // The owner's: whether the newest is marked, unless somebody takes it.
  bool ends_with_passed_over() const noexcept {
    const auto bottom = bottom_.load(std::memory_order_relaxed);
    return top_.load(std::memory_order_relaxed) < bottom &&
           (own_entry(bottom - 1) & passed_over) != 0;
  }

  // Anybody's: the oldest, with its reference. Null when there's none.
  Job* take() noexcept {
    for (;;) {
      auto top = top_.load();
      if (top >= bottom_.load()) return nullptr;
      Job* const job =
          job_of(ring_.load(std::memory_order_acquire)->at(top).load(std::memory_order_relaxed));
      if (top_.compare_exchange_weak(top, top + 1)) return job;
    }
  }
  bool empty() const noexcept { return top_.load() >= bottom_.load(); }

 private:
  // A job's address, and whether it was passed over.
  using Entry = std::uintptr_t;
  static constexpr Entry passed_over = 1;
  static Job* job_of(Entry entry) noexcept { return reinterpret_cast<Job*>(entry & ~passed_over); }

  struct Ring {
    explicit Ring(std::size_t count)
        : size(count), jobs(std::make_unique<std::atomic<Entry>[]>(count)) {}
    std::atomic<Entry>& at(std::int64_t place) noexcept {
      return jobs[static_cast<std::size_t>(place) & (size - 1)];
    }
    const std::size_t size;  // a power of two
    std::unique_ptr<std::atomic<Entry>[]> jobs;
  };

  void put(Job* job, std::memory_order order) {
    const auto bottom = bottom_.load(std::memory_order_relaxed);
    const auto top = top_.load(std::memory_order_acquire);
    if (bottom - top > own_mask_) [[unlikely]]
      grow(top, bottom);
    own_place(bottom).store(reinterpret_cast<Entry>(job), std::memory_order_relaxed);
    // Publishes the job; pairs with the loads in `take`.
    bottom_.store(bottom + 1, order);
  }
  Entry own_entry(std::int64_t place) const noexcept {
    return own_place(place).load(std::memory_order_relaxed);
  }
  std::atomic<Entry>& own_place(std::int64_t place) const noexcept {
    return own_jobs_[place & own_mask_];
  }

  void hold(std::unique_ptr<Ring> ring) {
    Ring* const held = ring.get();
    rings_.push_back(std::move(ring));
    own_jobs_ = held->jobs.get();
    own_mask_ = static_cast<std::int64_t>(held->size - 1);
    // Publishes its contents; pairs with the acquire in `take`.
    ring_.store(held, std::memory_order_release);
  }
  [[gnu::noinline]] void grow(std::int64_t top, std::int64_t bottom) {
    Ring& old = *rings_.back();
    auto larger = std::make_unique<Ring>(2 * old.size);
    for (auto at = top; at != bottom; ++at) {
      larger->at(at).store(old.at(at).load(std::memory_order_relaxed), std::memory_order_relaxed);
    }
    hold(std::move(larger));
  }

  alignas(64) std::atomic<std::int64_t> top_{0};
  alignas(64) std::atomic<std::int64_t> bottom_{0};  // the owner's
  std::atomic<Ring*> ring_{nullptr};                 // the owner's
  // The owner's: the same ring, without a detour; all that there ever were.
  std::atomic<Entry>* own_jobs_ = nullptr;
  std::int64_t own_mask_ = 0;
  std::vector<std::unique_ptr<Ring>> rings_;
};

}  // namespace brood::detail
