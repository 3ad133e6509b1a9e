// SPDX-License-Identifier: MIT
#include "pool/id_table.hpp"

#include "pool/contexts.hpp"

namespace brood::testing {
namespace {

constexpr std::uint64_t million = 1'000'000;

TEST(AnIdTable, knows_the_latest_million_ids) {
  auto* const core = detail::Core::make({.processes = 1, .context = Context::thread});
  {
    const auto job = detail::make_call(*core, [](int x) { return x; }, 1).job;
    detail::IdTable ids;
    const JobId first = ids.enroll(*job);
    EXPECT_EQ(ids.find(first).pending, job.get());
    ids.strike(first, *job, JobState::done);
    JobId latest = first;
    for (std::uint64_t i = 1; i < million; ++i) {
      latest = ids.enroll(*job);
      ids.strike(latest, *job, JobState::failed);
    }
    EXPECT_EQ(ids.find(first).state, JobState::done);
    EXPECT_EQ(ids.find(latest).state, JobState::failed);
    for (std::uint64_t i = 0; i < million; ++i) latest = ids.enroll(*job);
    EXPECT_EQ(ids.find(first).state, JobState::unknown);
    ids.strike(first, *job, JobState::cancelled);
    EXPECT_EQ(ids.find(first).state, JobState::unknown);
    EXPECT_EQ(ids.find(latest).pending, job.get());
    EXPECT_EQ(ids.find(JobId{}).state, JobState::unknown);
    EXPECT_EQ(ids.find(JobId{latest.number + 1}).state, JobState::unknown);
    EXPECT_EQ(detail::IdTable().find(latest).state, JobState::unknown);
  }
  core->terminate();
  core->release();
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
