// SPDX-License-Identifier: MIT
#include <csignal>
#include <string>

#include <sys/resource.h>

#include <gmock/gmock.h>

#include "pool/facts.hpp"
#include "support/census.hpp"

// Workers that the system refuses, for want of descriptors.
namespace brood::testing {
namespace {

using ::testing::HasSubstr;

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

class Descriptors : public Processes {};
INSTANTIATE_TEST_SUITE_P(contexts, Descriptors, every_process, name_of);

std::size_t length(const std::string& text) { return text.size(); }
std::string as_long_as(std::size_t size) { return std::string(size, 'x'); }
constexpr std::size_t large = std::size_t{4} << 20;

// Each task whose value or argument travels in memory of its own needs one for it.
TEST_P(Descriptors, that_run_out_cost_a_large_value_and_say_so) {
  Pool pool = make_pool(1);
  const auto error = [&](auto&& task) -> std::string {
    const FewDescriptors few(3);
    try {
      task();
    } catch (const SystemError& refusal) {
      return refusal.what();
    }
    return "none";
  };
  EXPECT_THAT(error([&] { pool.apply(as_long_as, large); }), HasSubstr("ulimit -n"));
  EXPECT_EQ(pool.apply(as_long_as, large).size(), large);
  EXPECT_THAT(error([&] { pool.map(as_long_as, {large, large}); }), HasSubstr("ulimit -n"));
  EXPECT_EQ(pool.stats().crashed, 0U);
}

TEST_P(Descriptors, that_run_out_cost_a_large_argument_and_say_so) {
  Pool pool = make_pool(1);
  const std::string text(large, 'x');
  {
    const FewDescriptors few(3);
    const auto refused = pool.apply_async(length, text);
    const auto others = pool.map_outcomes(length, {text, std::string("short"), text});
    EXPECT_THROW(refused.get(), SystemError);
    EXPECT_FALSE(others[0].has_value());
    EXPECT_EQ(*others[1], 5U);
    EXPECT_FALSE(others[2].has_value());
  }
  EXPECT_EQ(pool.apply(length, text), large);
  EXPECT_EQ(pool.stats().failed, 3U);
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
