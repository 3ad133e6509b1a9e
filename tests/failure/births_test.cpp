// SPDX-License-Identifier: MIT
//
// Pools that come to life in odd places.
#include <unistd.h>

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "failure/victim.hpp"
#include "support/census.hpp"

namespace brood::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::Values;

int square(int x) { return x * x; }

class Births : public ::testing::TestWithParam<const char*> {};
std::string name_of(const ::testing::TestParamInfo<const char*>& info) { return info.param; }
INSTANTIATE_TEST_SUITE_P(contexts, Births, Values("forkserver", "spawn"), name_of);

// The kernel's own tie between parent and child would be one to this thread.
TEST_P(Births, in_a_thread_that_ends_are_for_the_program) {
  const Census before = Census::take();
  std::optional<Pool> pool;
  std::thread maker([&] {
    pool.emplace(PoolOptions{.processes = 2, .context = context_named(GetParam())});
    EXPECT_EQ(pool->map(square, {1, 2, 3}), (std::vector{1, 4, 9}));
  });
  maker.join();
  const int worker = pool->apply([] { return static_cast<int>(::getpid()); });
  EXPECT_GT(worker, 0);
  EXPECT_EQ(pool->stats().respawned, 0U);
  try {
    pool->apply([] { ::raise(SIGKILL); });
    ADD_FAILURE() << "the task outlived SIGKILL";
  } catch (const WorkerCrashed& crash) {
    EXPECT_EQ(crash.signal(), SIGKILL);
  }
  EXPECT_EQ(pool->map(square, {1, 2, 3}), (std::vector{1, 4, 9}));
  pool.reset();
  EXPECT_EQ(left_since(before), "");
}

}  // namespace
}  // namespace brood::testing

int main(int argc, char** argv) {
  brood::init(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
