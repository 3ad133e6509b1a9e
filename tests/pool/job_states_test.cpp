// SPDX-License-Identifier: MIT
#include "pool/job_states.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <set>
#include <vector>

namespace brood::detail {
namespace {

TEST(JobStates, tells_what_a_job_has_noted_last) {
  JobStates states;
  NumberRange own;
  const JobId id = states.next(own);
  EXPECT_EQ(states.find(id), JobState::queued);
  for (const auto state :
       {JobState::running, JobState::done, JobState::failed, JobState::cancelled}) {
    states.note(id, state);
    EXPECT_EQ(states.find(id), state);
  }
}

TEST(JobStates, keeps_those_of_neighbours_apart) {
  JobStates states;
  NumberRange own;
  std::vector<JobId> ids;
  for (int i = 0; i < 100; ++i) ids.push_back(states.next(own));
  for (std::size_t i = 0; i < ids.size(); i += 2) states.note(ids[i], JobState::done);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(states.find(ids[i]), i % 2 == 0 ? JobState::done : JobState::queued) << i;
  }
}

TEST(JobStates, knows_no_others) {
  JobStates states;
  EXPECT_EQ(states.find(JobId{}), JobState::unknown);
  const JobId id = states.next();
  EXPECT_EQ(states.find(JobId{id.number + 1}), JobState::unknown);
  EXPECT_EQ(JobStates().find(id), JobState::unknown);
}

TEST(JobStates, forgets_what_a_million_jobs_came_after) {
  JobStates states;
  NumberRange own;
  const JobId done = states.next(own);
  states.note(done, JobState::done);
  const JobId pending = states.next(own);
  std::size_t jobs = 2;
  for (; jobs < 1'000'000; ++jobs) states.next(own);
  EXPECT_EQ(states.find(done), JobState::done);
  EXPECT_EQ(states.find(pending), JobState::queued);
  for (; jobs < JobStates::capacity; ++jobs) states.next(own);

  // They have the same entries.
  const JobId after_done = states.next(own);
  const JobId after_pending = states.next(own);
  EXPECT_EQ(states.find(done), JobState::unknown);
  EXPECT_EQ(states.find(after_done), JobState::queued);
  states.note(after_pending, JobState::running);
  states.note(pending, JobState::done);
  EXPECT_EQ(states.find(after_pending), JobState::running);
  EXPECT_EQ(states.find(pending), JobState::unknown);
}

TEST(JobStates, tells_the_older_of_two_however_often_the_table_was_full) {
  JobStates states;
  const JobId first = states.next();
  const auto id_after = [&](std::uint64_t fillings) {
    return JobId{first.number + fillings * JobStates::capacity};
  };
  states.note(id_after(1), JobState::done);
  states.note(first, JobState::failed);
  EXPECT_EQ(states.find(first), JobState::unknown);
  // Beyond what an entry can count it begins anew, and the next one is newer all the same: it
  // looks like the first then.
  JobStates others;
  const JobId own = others.next();
  for (const unsigned fillings : {1U, 4000U, 7000U, 8191U}) {
    others.note(JobId{own.number + fillings * JobStates::capacity}, JobState::done);
  }
  others.note(JobId{own.number + 8192 * JobStates::capacity}, JobState::running);
  EXPECT_EQ(others.find(own), JobState::running);
}

// So that threads don't write to the same cache lines.
TEST(NumberRanges, end_before_a_multiple_of_their_size) {
  std::atomic<std::uint64_t> latest{0};
  NumberRange one;
  NumberRange other{NumberRange::many};
  const auto none = [](std::uint64_t, std::uint64_t) {};
  const auto line_of = [](std::uint64_t number) { return number / NumberRange::most; };
  std::vector<std::uint64_t> ones;
  std::set<std::uint64_t> lines_of_other;
  for (int i = 0; i < 2000; ++i) {
    ones.push_back(one.take(latest, none));
    lines_of_other.insert(line_of(other.take(latest, none)));
  }
  for (const std::uint64_t number : ones) {
    if (number < 2 * NumberRange::many) continue;  // it took few at first
    EXPECT_FALSE(lines_of_other.contains(line_of(number)));
  }
}

TEST(NumberRanges, are_consecutive_where_all_come_from_one) {
  std::atomic<std::uint64_t> latest{0};
  NumberRange own;
  std::uint64_t reserved = 0;
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    const auto number = own.take(latest, [&](std::uint64_t first, std::uint64_t end) {
      EXPECT_EQ(first, reserved + 1);
      reserved = end - 1;
    });
    EXPECT_EQ(number, i);
    EXPECT_LE(number, reserved);
  }
  EXPECT_EQ(latest.load(), reserved);
}

}  // namespace
}  // namespace brood::detail
