// SPDX-License-Identifier: MIT
#pragma once

#include <brood/pool/job.hpp>
#include <brood/pool/job_id.hpp>

namespace brood::detail {

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
