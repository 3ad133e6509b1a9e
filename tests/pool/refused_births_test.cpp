// SPDX-License-Identifier: MIT
#include <csignal>

#include <sys/resource.h>

#include "pool/facts.hpp"
#include "support/census.hpp"

// Workers that the system refuses, for want of descriptors. Not for sanitizers: UBSan
// makes a pipe to see whether memory is readable.
namespace brood::testing {
namespace {

class Births : public Processes {};
INSTANTIATE_TEST_SUITE_P(contexts, Births, every_process, name_of);

// The number of descriptors that the program may have, for a while.
class FewDescriptors {
 public:
  explicit FewDescriptors(rlim_t most) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit few{most, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &few);
  }
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_P(Births, that_are_refused_leave_nothing_of_the_pool_behind) {
  {
    Pool warm = make_pool(1);
    EXPECT_EQ(warm.apply(square, 2), 4);
  }
  const Census before = Census::take();
  {
    const FewDescriptors few(60);
    EXPECT_THROW(Pool pool = make_pool(1000), SystemError);
  }
  const Watchdog watchdog;
  EXPECT_TRUE(watchdog.sees([&] { return Census::take().more_than(before).empty(); }))
      << Census::take().more_than(before);
  Pool pool = make_pool(1);
  EXPECT_EQ(pool.apply(square, 3), 9);
}

TEST_P(Births, that_are_refused_later_are_tried_again) {
  Pool pool = make_pool(2);
  EXPECT_EQ(pool.apply(square, 2), 4);
  {
    const FewDescriptors few(3);
    EXPECT_THROW(pool.apply([] { std::raise(SIGKILL); }), WorkerCrashed);
    EXPECT_EQ(pool.apply(square, 3), 9);
  }
  eventually([&] { return pool.stats().workers == 2; });
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
