// SPDX-License-Identifier: MIT
#include "task_body.hpp"

#include <cstring>

namespace brood::model {

std::uint64_t read_argument(const lane::Claim& claim) {
  std::uint64_t argument = ~std::uint64_t{0};
  if (claim.callable.size() == sizeof argument) {
    std::memcpy(&argument, claim.callable.data(), sizeof argument);
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

}  // namespace brood::model
