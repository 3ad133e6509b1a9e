// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <brood/pool/job_id.hpp>

#include "os/memory.hpp"
#include "pool/id_table.hpp"
#include "pool/number_range.hpp"

namespace brood::detail {

// What became of the latest million jobs of a pool, for whom it's enough to know
// their states. Two bytes each, and only what was used is touched.
//
// Of a job in IdTable its address is known, at which only the lock that it settles under
// permits to look. A call on threads settles without one, so that what is asked for must
// stand in the table itself: whether it runs, too.
//
// An entry is a state, and how many times the table was full before the job that noted it.
// That of a job that noted none yet is older: it's queued. Which of two is older can be told
// while no job is pending that is older than 2^32 others.
//
// Safety: any thread, without a lock. What a job's entry says is written by one thread
// at a time.
class JobStates {
 public:
  static constexpr std::size_t capacity = std::size_t{1} << 20;

  JobStates() : pool_(new_pool_number()), entries_(os::map_private(capacity * sizeof(Entry))) {}

  // For a new job, a number out of those that its thread has taken.
  JobId next(NumberRange& own) noexcept {
    return id_of(own.take(latest_, [&](std::uint64_t first, std::uint64_t) { touch(first); }));
  }
  JobId next() noexcept {
    NumberRange one;
    return next(one);
  }
  static std::uint64_t sequence_of(JobId id) noexcept { return id.number & sequence_mask; }

  void note(JobId id, JobState state) noexcept {
    const std::uint64_t sequence = sequence_of(id);
    const std::atomic_ref entry(entry_of(sequence));
    // A pending job may be older than a million others; its entry is another's.
    if (age(entry.load(std::memory_order_relaxed), sequence) < 0) return;
    entry.store(static_cast<Entry>(filling_of(sequence) | static_cast<Entry>(state)),
                std::memory_order_relaxed);
  }
  JobState find(JobId id) const noexcept {
    const std::uint64_t sequence = sequence_of(id);
    const std::uint64_t latest = latest_.load(std::memory_order_relaxed);
    if (id.number >> sequence_bits != pool_ || sequence == 0 || sequence > latest ||
        latest - sequence >= capacity) {
      return JobState::unknown;
    }
    const Entry noted = std::atomic_ref(entry_of(sequence)).load(std::memory_order_relaxed);
    const int older = age(noted, sequence);
    if (older < 0) return JobState::unknown;
    const auto state = static_cast<JobState>(noted & state_mask);
    return older > 0 || state == JobState::unknown ? JobState::queued : state;
  }

 private:
  using Entry = std::uint16_t;
  static constexpr unsigned sequence_bits = 40;
  static constexpr std::uint64_t sequence_mask = (std::uint64_t{1} << sequence_bits) - 1;
  static constexpr unsigned state_bits = 3;
  static constexpr Entry state_mask = (1U << state_bits) - 1;

  JobId id_of(std::uint64_t sequence) const noexcept {
    return JobId{(pool_ << sequence_bits) | (sequence & sequence_mask)};
  }
  Entry& entry_of(std::uint64_t sequence) const noexcept {
    return reinterpret_cast<Entry*>(entries_.data())[sequence & (capacity - 1)];
  }
  // note() looks before it writes. A page that is read first is mapped twice, and the second
  // time all CPUs that run this program are interrupted: 20 us. So it's written to, without
  // a change.
  void touch(std::uint64_t sequence) noexcept {
    Entry unused = 0;
    std::atomic_ref(entry_of(sequence)).compare_exchange_strong(unused, 0);
  }
  // How often the table was full before, where an entry has it.
  static Entry filling_of(std::uint64_t sequence) noexcept {
    return static_cast<Entry>(sequence / capacity << state_bits);
  }
  // By how many fillings, roughly, the entry is older than the job; negative where it's newer.
  static int age(Entry noted, std::uint64_t sequence) noexcept {
    return static_cast<std::int16_t>(filling_of(sequence) - (noted & ~state_mask));
  }

  const std::uint64_t pool_;
  const os::Mapping entries_;
  // By those who submit; what stands before is read at each job.
  alignas(64) std::atomic<std::uint64_t> latest_{0};
};

}  // namespace brood::detail
