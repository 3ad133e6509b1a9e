// SPDX-License-Identifier: MIT
#include "pool/line.hpp"

#include <memory>
#include <thread>
#include <vector>

#include "pool/contexts.hpp"

namespace brood::testing {
namespace {

// Jobs that nobody runs.
class ALine : public ::testing::Test {
 protected:
  ~ALine() override {
    core_->terminate();
    core_->release();
  }
  detail::JobRef<detail::Job> job() {
    return detail::make_call(*core_, local([alive = alive_] { return alive != nullptr; })).job;
  }
  // Jobs that are not gone.
  long alive() const { return alive_.use_count() - 1; }

  std::shared_ptr<int> alive_ = std::make_shared<int>();
  detail::Core* core_ = detail::Core::make({.processes = 1, .context = Context::thread});
};

// Three chunks and a bit.
constexpr std::size_t many = 1600;

TEST_F(ALine, gives_jobs_in_the_order_in_which_they_came) {
  detail::Line line;
  std::vector<detail::JobRef<detail::Job>> jobs;
  for (std::size_t i = 0; i < many; ++i) {
    jobs.push_back(job());
    line.make_room();
    auto next = jobs.back();
    line.push(next.give_up());
  }
  EXPECT_EQ(line.size(), 0U) << "before a look";
  EXPECT_EQ(line.look(), many);
  std::size_t visited = 0;
  line.for_each([&](detail::Job& each) { EXPECT_EQ(&each, jobs[visited++].get()); });
  EXPECT_EQ(visited, many);
  for (const auto& each : jobs) {
    EXPECT_EQ(&line.front(), each.get());
    EXPECT_EQ(line.take().get(), each.get());
  }
  EXPECT_EQ(line.size(), 0U);
  EXPECT_EQ(line.look(), 0U);
}

TEST_F(ALine, says_who_comes_soon) {
  detail::Line line;
  std::vector<detail::JobRef<detail::Job>> jobs;
  for (std::size_t i = 0; i < 10; ++i) {
    jobs.push_back(job());
    line.make_room();
    auto next = jobs.back();
    line.push(next.give_up());
  }
  EXPECT_EQ(line.soon(0), nullptr) << "before a look";
  line.look();
  EXPECT_EQ(line.soon(3), jobs[3].get());
  EXPECT_EQ(line.soon(10), nullptr);
  line.take();
  EXPECT_EQ(line.soon(3), jobs[4].get());
}

TEST_F(ALine, lets_go_of_what_is_left_in_it) {
  {
    detail::Line line;
    for (std::size_t i = 0; i < many; ++i) {
      line.make_room();
      line.push(job().give_up());
      if (i == many / 2) line.look();
    }
    line.take();
    EXPECT_EQ(alive(), static_cast<long>(many) - 1);
  }
  EXPECT_EQ(alive(), 0);
}

// The race detector looks on in its build.
TEST_F(ALine, is_filled_by_one_thread_while_another_empties_it) {
  constexpr std::size_t rounds = 20'000;
  detail::Line line;
  const auto first = job();
  const auto second = job();
  std::thread submitter([&] {
    for (std::size_t i = 0; i < rounds; ++i) {
      line.make_room();
      auto next = i % 2 == 0 ? first : second;
      line.push(next.give_up());
    }
  });
  std::size_t taken = 0;
  std::size_t wrong = 0;
  while (taken < rounds) {
    line.look();
    for (; line.size() != 0; ++taken) {
      if (line.take().get() != (taken % 2 == 0 ? first : second).get()) ++wrong;
    }
  }
  submitter.join();
  EXPECT_EQ(wrong, 0U);
  EXPECT_EQ(line.look(), 0U);
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
