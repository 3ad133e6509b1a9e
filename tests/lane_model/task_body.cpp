// SPDX-License-Identifier: MIT
#include "task_body.hpp"

#include <cstring>

namespace brood::model {

std::uint64_t read_argument(std::span<const std::byte> callable) {
  std::uint64_t argument = ~std::uint64_t{0};
  if (callable.size() == sizeof argument) {
    std::memcpy(&argument, callable.data(), sizeof argument);
  }
  return argument;
}

// As Execution and a worker's LaneExecution do.
void begin_item(const lane::Claim& claim) { claim.slot->begun.store(1, std::memory_order_relaxed); }

void end_item(const lane::Claim& claim, std::uint64_t value) {
  std::memcpy(claim.answer_area.data(), &value, sizeof value);
  claim.slot->answer_end.store(sizeof value, std::memory_order_relaxed);
  claim.slot->ended.store(1, std::memory_order_release);
  claim.slot->run_nanoseconds = value;
}

bool begin_bundled(const lane::Claim& claim, std::size_t place) {
  std::uint64_t before = place;
  return claim.slot->begun.compare_exchange_strong(before, place + 1);
}

void end_bundled(const lane::Claim& claim, std::size_t place, std::uint64_t value) {
  const std::size_t end = (place + 1) * sizeof value;
  std::memcpy(claim.answer_area.data() + end - sizeof value, &value, sizeof value);
  claim.slot->answer_end.store(end, std::memory_order_relaxed);
  claim.bundle[place].value_end = static_cast<std::uint32_t>(end);
  claim.slot->ended.store(place + 1, std::memory_order_release);
}

}  // namespace brood::model
