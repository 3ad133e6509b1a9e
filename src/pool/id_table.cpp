// SPDX-License-Identifier: MIT
#include "pool/id_table.hpp"

#include <atomic>

#include <brood/pool/work.hpp>

namespace brood::detail {
namespace {

// Ids of different pools differ.
std::atomic<std::uint64_t> pools{0};

}  // namespace

// An entry is a job's address, or a final state: those are smaller than any
// address, and zero is none.
IdTable::IdTable()
    : pool_(pools.fetch_add(1, std::memory_order_relaxed) + 1),
      entries_(os::map_private(capacity * sizeof(std::uint64_t))) {}

std::uint64_t& IdTable::entry(JobId id) const noexcept {
  auto* const entries = reinterpret_cast<std::uint64_t*>(entries_.data());
  return entries[id.number & (capacity - 1)];
}

JobId IdTable::enroll(Job& job) {
  if (const MapJob* const map = job.as_map(); map && map->seed_sequence != 0) {
    return JobId{map->seed_sequence};
  }
  ++latest_;
  const JobId id{(pool_ << sequence_bits) | (latest_ & sequence_mask)};
  entry(id) = reinterpret_cast<std::uintptr_t>(&job);
  return id;
}

bool IdTable::knows(JobId id) const noexcept {
  const std::uint64_t sequence = sequence_of(id);
  return id.number >> sequence_bits == pool_ && sequence != 0 && sequence <= latest_ &&
         latest_ - sequence < capacity;
}

void IdTable::strike(JobId id, JobState state) noexcept {
  // A pending job may be older than a million others; its entry is another's.
  if (knows(id)) entry(id) = static_cast<std::uint64_t>(state);
}

IdTable::Found IdTable::find(JobId id) const noexcept {
  if (!knows(id)) return {};
  const std::uint64_t found = entry(id);
  if (found <= static_cast<std::uint64_t>(JobState::cancelled)) {
    return {static_cast<JobState>(found), nullptr};
  }
  return {JobState::queued, reinterpret_cast<Job*>(found)};
}

}  // namespace brood::detail
