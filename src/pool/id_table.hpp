// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <brood/pool/job.hpp>
#include <brood/pool/job_id.hpp>

#include "os/memory.hpp"
#include "pool/number_range.hpp"

namespace brood::detail {

// Ids of different pools differ: a pool's part of them.
std::uint64_t new_pool_number() noexcept;

// What became of a pool's latest million jobs. Eight bytes each, and only what
// was used is touched.
//
// Safety: enroll from any thread at once; the rest guarded by the engine's lock. A
// pending job is named by its address and must be struck before it's gone.
class IdTable {
 public:
  static constexpr std::size_t capacity = std::size_t{1} << 20;

  IdTable();

  // A new id for a job that is pending from now on; for a further piece of a lazy
  // map that of its first. Consecutive where all jobs come from one thread.
  JobId enroll(Job& job, NumberRange& own) noexcept;
  // Where it's the only one.
  JobId enroll(Job& job) noexcept {
    NumberRange one;
    return enroll(job, one);
  }
  // The job has settled so.
  void strike(JobId id, const Job& job, JobState state) noexcept;

  struct Found {
    JobState state = JobState::unknown;
    Job* pending = nullptr;  // queued or running: the engine knows which
  };
  Found find(JobId id) const noexcept;

  // The part of an id that counts a pool's jobs from 1.
  static std::uint64_t sequence_of(JobId id) noexcept { return id.number & sequence_mask; }

 private:
  static constexpr unsigned sequence_bits = 40;
  static constexpr std::uint64_t sequence_mask = (std::uint64_t{1} << sequence_bits) - 1;

  bool knows(JobId id) const noexcept;
  std::atomic_ref<std::uint64_t> entry(JobId id) const noexcept;

  std::uint64_t pool_;
  os::Mapping entries_;
  // By those who submit; what stands before is read by who settles.
  alignas(64) std::atomic<std::uint64_t> latest_{0};
};

}  // namespace brood::detail
