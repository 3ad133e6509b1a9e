// SPDX-License-Identifier: MIT
//
// Pools whose workers can't start: said once, with the cause, and without a storm
// of new ones.
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/contexts.hpp"
#include "support/census.hpp"
#include "support/scratch.hpp"
#include "support/watchdog.hpp"

namespace brood::testing {
namespace {

using ::testing::HasSubstr;

int square(int x) { return x * x; }
[[noreturn]] void hang() {
  for (;;) ::pause();
}

// Each notes that it ran, by a letter in the file.
void note(const std::string& file) { write_file(file, "x"); }
void throw_it(const std::string& file) {
  note(file);
  throw std::domain_error("no model there");
}
void throw_a_number(const std::string& file) {
  note(file);
  throw 42;
}
void call_exit(const std::string& file) {
  note(file);
  std::exit(33);
}
void crash(const std::string& file) {
  note(file);
  ::raise(SIGSEGV);
}
void be_killed(const std::string& file) {
  note(file);
  ::raise(SIGKILL);
}
void crash_unless_first_two(const std::string& file) {
  note(file);
  if (read_file(file).size() > 2) ::raise(SIGSEGV);
}
void crash_unless_first(const std::string& file) {
  note(file);
  if (read_file(file).size() > 1) ::raise(SIGSEGV);
}
void throw_unless_first(const std::string& file) {
  note(file);
  if (read_file(file).size() > 1) throw std::domain_error("no model any more");
}
void hang_unless_first(const std::string& file) {
  note(file);
  if (read_file(file).size() > 1) hang();
}
void hang_at_once(const std::string& file) {
  note(file);
  hang();
}

template <typename Call>
std::string breakage(Call call) {
  try {
    call();
  } catch (const BrokenPool& broken) {
    return broken.what();
  }
  return "it did not break";
}

struct Failure {
  const char* name;
  void (*errand)(const std::string&);
  const char* cause;
};

std::string failure_name(const ::testing::TestParamInfo<std::tuple<Context, Failure>>& info) {
  return name_of({std::get<Context>(info.param), 0}) + "_by_" + std::get<Failure>(info.param).name;
}

const auto every_failure = ::testing::Values(
    Failure{"throwing", throw_it, "no model there"},
    Failure{"throwing_a_number", throw_a_number, "42"}, Failure{"exit", call_exit, "exit code 33"},
    Failure{"crashing", crash, "SIGSEGV"}, Failure{"being_killed", be_killed, "SIGKILL"});

class FailingStart : public ::testing::TestWithParam<std::tuple<Context, Failure>> {
 protected:
  Context context() const { return std::get<Context>(GetParam()); }
  const Failure& failure() const { return std::get<Failure>(GetParam()); }

  // Every way to use the pool says the same, now and later.
  void expect_broken(Pool& pool) const {
    EXPECT_THAT(breakage([&] { pool.apply(square, 2); }), HasSubstr(failure().cause));
    EXPECT_THAT(breakage([&] { pool.map(square, {1, 2, 3}); }), HasSubstr(failure().cause));
    EXPECT_THAT(breakage([&] { pool.apply_async(square, 2).get(); }), HasSubstr(failure().cause));
  }
  Scratch scratch_;
  std::string runs_ = scratch_.path("runs");
};
INSTANTIATE_TEST_SUITE_P(contexts, FailingStart, ::testing::Combine(every_process, every_failure),
                         failure_name);

TEST_P(FailingStart, of_workers_breaks_the_pool_with_the_cause_and_no_storm) {
  const Census before = Census::take();
  {
    Pool pool(PoolOptions{
        .processes = 2, .initializer = task(failure().errand, runs_), .context = context()});
    std::vector<AsyncResult<int>> early;
    try {
      for (int i = 0; i < 10; ++i) early.push_back(pool.apply_async(square, i));
    } catch (const BrokenPool&) {
      // So soon.
    }
    for (auto& each : early) {
      EXPECT_THAT(breakage([&] { each.get(); }), HasSubstr(failure().cause));
    }
    expect_broken(pool);
    EXPECT_LE(read_file(runs_).size(), 4U);
  }
  EXPECT_EQ(left_since(before), "");
}

TEST_P(FailingStart, of_the_nursery_breaks_the_pool_with_the_cause_and_no_storm) {
  const Census before = Census::take();
  {
    Pool pool(PoolOptions{
        .processes = 2, .preload = task(failure().errand, runs_), .context = context()});
    expect_broken(pool);
    EXPECT_EQ(read_file(runs_).size(), 1U);
  }
  EXPECT_EQ(left_since(before), "");
}

class BrokenStart : public Processes {
 protected:
  void kill_a_worker(Pool& pool) const {
    try {
      pool.apply([] { ::raise(SIGKILL); });
    } catch (const WorkerCrashed&) {
    } catch (const BrokenPool&) {
    }
  }
  Scratch scratch_;
  std::string runs_ = scratch_.path("runs");
};
INSTANTIATE_TEST_SUITE_P(contexts, BrokenStart, every_process, name_of);

TEST_P(BrokenStart, of_some_workers_only_breaks_the_pool_when_it_comes) {
  const Census before = Census::take();
  {
    Pool pool(PoolOptions{
        .processes = 2, .initializer = task(crash_unless_first_two, runs_), .context = GetParam()});
    EXPECT_EQ(pool.map(square, {1, 2, 3}), (std::vector{1, 4, 9}));
    ASSERT_TRUE(Watchdog().sees([&] { return read_file(runs_).size() == 2; }));
    kill_a_worker(pool);
    EXPECT_TRUE(Watchdog().sees([&] {
      return breakage([&] { pool.apply(square, 2); }).find("SIGSEGV") != std::string::npos;
    }));
    EXPECT_EQ(read_file(runs_).size(), 3U);
  }
  EXPECT_EQ(left_since(before), "");
}

TEST_P(BrokenStart, by_hanging_leaves_the_pool_an_end) {
  const Census before = Census::take();
  {
    Pool pool(PoolOptions{
        .processes = 2, .initializer = task(hang_at_once, runs_), .context = GetParam()});
    const auto result = pool.apply_async(square, 2);
    EXPECT_THROW(result.get(1ms), TimeoutError);
    EXPECT_TRUE(Watchdog().sees([&] { return read_file(runs_).size() == 2; }));
    auto withdrawn = pool.apply_async(square, 3);
    EXPECT_TRUE(withdrawn.cancel(0ms));
    pool.close();
    EXPECT_FALSE(pool.join(1ms));
    pool.terminate();
    EXPECT_THROW(result.get(), CancelledError);
  }
  {
    Pool pool(PoolOptions{
        .processes = 2, .initializer = task(hang_at_once, runs_), .context = GetParam()});
    pool.apply_async(square, 2);
  }
  EXPECT_EQ(left_since(before), "");
}

std::set<int> nurseries() {
  std::set<int> pids;
  for (const auto& sight : descendants_of(::getpid())) {
    if (sight.name == "brood-nursery" && sight.state != 'Z') pids.insert(sight.pid);
  }
  return pids;
}

// A pool with a preload, whose own nursery and its twin are killed while it works.
class LostPreload : public BrokenStart {
 protected:
  void lose(void (*preload)(const std::string&)) {
    helper_.emplace(PoolOptions{.processes = 1, .context = Context::forkserver});
    helper_->apply(square, 1);
    ASSERT_TRUE(Watchdog().sees([] { return nurseries().size() == 2; }));
    const std::set<int> others = nurseries();
    pool_.emplace(
        PoolOptions{.processes = 1, .preload = task(preload, runs_), .context = GetParam()});
    pool_->apply(square, 2);
    ASSERT_TRUE(Watchdog().sees([] { return nurseries().size() == 4; }));
    for (const int pid : nurseries()) {
      if (!others.contains(pid)) ::kill(pid, SIGKILL);
    }
    ASSERT_TRUE(Watchdog().sees([&] { return nurseries() == others; }));
    kill_a_worker(*pool_);
  }
  std::optional<Pool> helper_;
  std::optional<Pool> pool_;
};
INSTANTIATE_TEST_SUITE_P(contexts, LostPreload,
                         ::testing::Values(Context::forkserver, Context::spawn), name_of);

TEST_P(LostPreload, is_loaded_anew) {
  lose(note);
  EXPECT_EQ(pool_->apply(square, 3), 9);
  EXPECT_EQ(read_file(runs_).size(), 2U);
}

TEST_P(LostPreload, that_crashes_then_breaks_the_pool_with_the_cause_and_no_storm) {
  lose(crash_unless_first);
  EXPECT_THAT(breakage([&] { pool_->apply(square, 3); }), HasSubstr("preload"));
  EXPECT_EQ(read_file(runs_).size(), 2U);
}

TEST_P(LostPreload, that_throws_then_breaks_the_pool_with_the_cause_and_no_storm) {
  lose(throw_unless_first);
  EXPECT_THAT(breakage([&] { pool_->apply(square, 3); }), HasSubstr("no model any more"));
  EXPECT_EQ(read_file(runs_).size(), 2U);
}

TEST_P(LostPreload, that_hangs_then_leaves_the_pool_an_end) {
  const Census before = Census::take();
  lose(hang_unless_first);
  EXPECT_TRUE(Watchdog().sees([&] { return read_file(runs_).size() == 2; }));
  auto result = pool_->apply_async(square, 3);
  EXPECT_THROW(result.get(1ms), TimeoutError);
  pool_->terminate();
  EXPECT_THROW(result.get(), CancelledError);
  result = {};
  pool_.reset();
  helper_.reset();
  EXPECT_EQ(left_since(before), "");
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
