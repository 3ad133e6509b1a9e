// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>

#include <brood/pool/job.hpp>
#include <brood/pool/job_id.hpp>

namespace brood::detail {

inline bool Job::take() noexcept {
  std::uint32_t word = word_.load(std::memory_order_relaxed);
  while ((word & (taken_bit | outcome_mask)) == 0) {
    if (word_.compare_exchange_weak(word, word | taken_bit)) return true;
  }
  return false;
}

inline Job::Settled Job::settle_opened() noexcept {
  constexpr auto opened = opened_bit | static_cast<std::uint32_t>(Outcome::done);
  std::uint32_t word = word_.load(std::memory_order_relaxed);
  while (outcome_of(word) == Outcome::pending) {
    // Publishes the value; pairs with the acquire in outcome().
    if (!word_.compare_exchange_weak(word, word | opened)) continue;
    return is_awaited(word) ? Settled::awaited : Settled::unheard;
  }
  return Settled::by_another;
}

// Of a job whose items have all ended.
inline Job::Outcome outcome_of(const Job& job) noexcept {
  return job.failed ? Job::Outcome::failed : Job::Outcome::done;
}

// As whoever asks by the job's id is told. Requires: it has ended.
inline JobState state_of(Job::Outcome outcome) noexcept {
  return outcome == Job::Outcome::done     ? JobState::done
         : outcome == Job::Outcome::failed ? JobState::failed
                                           : JobState::cancelled;
}

}  // namespace brood::detail
