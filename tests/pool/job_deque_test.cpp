// SPDX-License-Identifier: MIT
#include "pool/job_deque.hpp"
#include "pool/job_end.hpp"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "pool/contexts.hpp"

namespace brood::testing {
namespace {

class AJobDeque : public ::testing::Test {
 protected:
  AJobDeque() : core_(detail::Core::make({.processes = 1, .context = Context::thread})) {}
  ~AJobDeque() override {
    core_->terminate();
    core_->release();
  }
  detail::JobRef<detail::Job> make_job() {
    return detail::make_call(*core_, [] {}).job;
  }
  // So many new ones, the newest last.
  std::vector<detail::JobRef<detail::Job>> fill(detail::JobDeque& deque, int count) {
    std::vector<detail::JobRef<detail::Job>> jobs;
    for (int i = 0; i < count; ++i) deque.push(jobs.emplace_back(make_job()));
    return jobs;
  }

  detail::Core* core_;
};

TEST_F(AJobDeque, gives_the_newest_to_its_owner_and_the_oldest_to_others) {
  detail::JobDeque deque;
  const auto jobs = fill(deque, 1000);  // it grows
  for (std::size_t i = 0; i < 500; ++i) {
    EXPECT_EQ(detail::JobRef<detail::Job>::adopt(deque.take()).get(), jobs[i].get());
    EXPECT_EQ(detail::JobRef<detail::Job>::adopt(deque.pop()).get(), jobs[999 - i].get());
  }
  EXPECT_TRUE(deque.empty());
  EXPECT_EQ(deque.pop(), nullptr);
  EXPECT_EQ(deque.take(), nullptr);
}

TEST_F(AJobDeque, gives_each_job_to_one_thread) {
  constexpr std::size_t count = 50'000;
  detail::JobDeque deque;
  std::atomic<std::size_t> got{0};
  std::atomic<bool> twice{false};
  const auto keep = [&](detail::Job* taken) {
    const auto job = detail::JobRef<detail::Job>::adopt(taken);
    if (!job->take()) twice = true;
    ++got;
  };
  std::vector<std::thread> thieves;
  for (int i = 0; i < 2; ++i) {
    thieves.emplace_back([&] {
      while (got != count) {
        if (detail::Job* const job = deque.take()) keep(job);
      }
    });
  }
  for (std::size_t i = 0; i < count; ++i) {
    deque.push(make_job());
    if (i % 3 == 0) {
      if (detail::Job* const job = deque.pop()) keep(job);
    }
  }
  while (got != count) {
    if (detail::Job* const job = deque.pop()) keep(job);
  }
  for (auto& thief : thieves) thief.join();
  EXPECT_FALSE(twice);
}

TEST_F(AJobDeque, gives_up_a_job_out_of_turn_at_either_end) {
  using enum detail::JobDeque::Withdrawn;
  detail::JobDeque deque;
  const auto jobs = fill(deque, 10);
  EXPECT_EQ(deque.withdraw(*jobs[9]), taken);
  EXPECT_EQ(deque.withdraw(*jobs[0]), taken);
  jobs[0]->release();
  jobs[9]->release();
  EXPECT_EQ(deque.withdraw(*jobs[0]), not_found);  // not twice
  EXPECT_EQ(deque.withdraw(*jobs[3]), not_found);  // too far from either end
  EXPECT_EQ(detail::JobRef<detail::Job>::adopt(deque.take()).get(), jobs[1].get());
  EXPECT_EQ(detail::JobRef<detail::Job>::adopt(deque.pop()).get(), jobs[8].get());
}

TEST_F(AJobDeque, keeps_one_out_of_turn_until_it_is_the_newest) {
  using enum detail::JobDeque::Withdrawn;
  detail::JobDeque deque;
  const auto jobs = fill(deque, 4);
  EXPECT_EQ(deque.withdraw(*jobs[2]), marked);
  EXPECT_FALSE(deque.ends_with_passed_over());
  EXPECT_EQ(deque.withdraw(*jobs[3]), taken);
  jobs[3]->release();
  EXPECT_TRUE(deque.ends_with_passed_over());
  EXPECT_EQ(detail::JobRef<detail::Job>::adopt(deque.pop()).get(), jobs[2].get());
  EXPECT_FALSE(deque.ends_with_passed_over());
  EXPECT_EQ(deque.withdraw(*jobs[1]), taken);
  jobs[1]->release();
  EXPECT_EQ(deque.withdraw(*jobs[0]), taken);
  jobs[0]->release();
  EXPECT_TRUE(deque.empty());
}

// Of a job that is passed over the deque's reference goes once, whoever takes it: its
// destructor says so.
TEST_F(AJobDeque, drops_each_one_out_of_turn_once) {
  constexpr int count = 20'000;
  std::atomic<int> gone{0};
  const auto make = [&] {
    const auto note = std::shared_ptr<void>(nullptr, [&](void*) { ++gone; });
    return detail::make_call(*core_, local([note] {})).job;
  };
  detail::JobDeque deque;
  std::atomic<bool> over{false};
  std::vector<std::thread> thieves;
  for (int i = 0; i < 2; ++i) {
    thieves.emplace_back([&] {
      while (!over) detail::JobRef<detail::Job>::adopt(deque.take());
    });
  }
  for (int i = 0; i < count; ++i) {
    const auto one = make();
    const auto other = make();
    deque.push(one);
    deque.push(other);
    for (const auto* job : {&one, &other}) {
      if (deque.withdraw(**job) == detail::JobDeque::Withdrawn::taken) (*job)->release();
    }
    while (deque.ends_with_passed_over()) detail::JobRef<detail::Job>::adopt(deque.pop());
  }
  over = true;
  for (auto& thief : thieves) thief.join();
  while (detail::Job* const job = deque.pop()) job->release();
  EXPECT_EQ(gone, 2 * count);
}

TEST_F(AJobDeque, lets_go_of_what_nobody_took) {
  const auto job = make_job();
  {
    detail::JobDeque().push(job);
  }
  job->retain();  // else the last reference would be gone already
  job->release();
  EXPECT_FALSE(job->is_taken());
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
