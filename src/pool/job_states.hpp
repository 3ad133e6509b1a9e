// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <brood/pool/job_id.hpp>

#include "os/memory.hpp"
#include "pool/id_table.hpp"

namespace brood::detail {

// What became of the latest million jobs of a pool, for whom it's enough to know
// their states. Eight bytes each, and only what was used is touched.
//
// Of a job in IdTable its address is known, at which only the lock that it settles under
// permits to look. A call on threads settles without one, so that what is asked for must
// stand in the table itself: whether it runs, too.
//
// An entry is the number of the job that noted its state last, and that state. A job
// that noted none yet is queued.
//
// Safety: any thread, without a lock. What a job's entry says is written by one thread
// at a time.
class JobStates {
 public:
  static constexpr std::size_t capacity = std::size_t{1} << 20;

  JobStates()
      : pool_(new_pool_number()), entries_(os::map_private(capacity * sizeof(std::uint64_t))) {}

  // The first of so many new numbers, from 1 on.
  std::uint64_t reserve(std::uint64_t count) noexcept {
    return latest_.fetch_add(count, std::memory_order_relaxed) + 1;
  }
  JobId id_of(std::uint64_t sequence) const noexcept {
    return JobId{(pool_ << sequence_bits) | (sequence & sequence_mask)};
  }
  static std::uint64_t sequence_of(JobId id) noexcept { return id.number & sequence_mask; }

  void note(JobId id, JobState state) noexcept {
    const std::uint64_t sequence = sequence_of(id);
    const std::atomic_ref entry(entry_of(sequence));
    // A pending job may be older than a million others; its entry is another's.
    if (entry.load(std::memory_order_relaxed) >> state_bits > sequence) return;
    entry.store((sequence << state_bits) | static_cast<std::uint64_t>(state),
                std::memory_order_relaxed);
  }
  JobState find(JobId id) const noexcept {
    const std::uint64_t sequence = sequence_of(id);
    const std::uint64_t latest = latest_.load(std::memory_order_relaxed);
    if (id.number >> sequence_bits != pool_ || sequence == 0 || sequence > latest ||
        latest - sequence >= capacity) {
      return JobState::unknown;
    }
    const std::uint64_t noted = std::atomic_ref(entry_of(sequence)).load(std::memory_order_relaxed);
    if (noted >> state_bits == sequence) return static_cast<JobState>(noted & state_mask);
    return noted >> state_bits < sequence ? JobState::queued : JobState::unknown;
  }

 private:
  static constexpr unsigned sequence_bits = 40;
  static constexpr std::uint64_t sequence_mask = (std::uint64_t{1} << sequence_bits) - 1;
  static constexpr unsigned state_bits = 3;
  static constexpr std::uint64_t state_mask = (std::uint64_t{1} << state_bits) - 1;

  std::uint64_t& entry_of(std::uint64_t sequence) const noexcept {
    return reinterpret_cast<std::uint64_t*>(entries_.data())[sequence & (capacity - 1)];
  }

  const std::uint64_t pool_;
  std::atomic<std::uint64_t> latest_{0};
  os::Mapping entries_;
};

}  // namespace brood::detail
