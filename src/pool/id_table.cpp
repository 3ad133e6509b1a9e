// SPDX-License-Identifier: MIT
#include "pool/id_table.hpp"

#include <atomic>

#include <brood/pool/work.hpp>

namespace brood::detail {

std::uint64_t new_pool_number() noexcept {
  static std::atomic<std::uint64_t> latest{0};
  return latest.fetch_add(1, std::memory_order_relaxed) + 1;
}

// An entry is a job's address, or a final state: those are smaller than any
// address, and zero is none.
IdTable::IdTable()
    : pool_(new_pool_number()), entries_(os::map_private(capacity * sizeof(std::uint64_t))) {}

std::atomic_ref<std::uint64_t> IdTable::entry(JobId id) const noexcept {
  auto* const entries = reinterpret_cast<std::uint64_t*>(entries_.data());
  return std::atomic_ref(entries[id.number & (capacity - 1)]);
}

JobId IdTable::enroll(Job& job, NumberRange& own) noexcept {
  if (const MapJob* const map = job.as_map(); map && map->seed_sequence != 0) {
    return JobId{map->seed_sequence};
  }
  const std::uint64_t sequence = own.take(latest_, [&](std::uint64_t first, std::uint64_t end) {
    // What stood there was a million jobs ago.
    for (std::uint64_t i = first; i != end; ++i) entry({i}).store(0, std::memory_order_relaxed);
  });
  const JobId id{(pool_ << sequence_bits) | (sequence & sequence_mask)};
  // Whoever asks for the id has got it from who enrolled the job.
  entry(id).store(reinterpret_cast<std::uintptr_t>(&job), std::memory_order_relaxed);
  return id;
}

bool IdTable::knows(JobId id) const noexcept {
  const std::uint64_t sequence = sequence_of(id);
  const std::uint64_t latest = latest_.load(std::memory_order_relaxed);
  return id.number >> sequence_bits == pool_ && sequence != 0 && sequence <= latest &&
         latest - sequence < capacity;
}

void IdTable::strike(JobId id, const Job& job, JobState state) noexcept {
  // A pending job may be older than a million others; its entry is another's.
  auto expected = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(&job));
  entry(id).compare_exchange_strong(expected, static_cast<std::uint64_t>(state),
                                    std::memory_order_relaxed);
}

IdTable::Found IdTable::find(JobId id) const noexcept {
  if (!knows(id)) return {};
  const std::uint64_t found = entry(id).load(std::memory_order_relaxed);
  if (found <= static_cast<std::uint64_t>(JobState::cancelled)) {
    return {static_cast<JobState>(found), nullptr};
  }
  return {JobState::queued, reinterpret_cast<Job*>(found)};
}

}  // namespace brood::detail
