// SPDX-License-Identifier: MIT
//
// Small calls in a torrent share slots. Nobody may notice but by the clock: each has its own
// value, exception, crash, id and cancellation, and none waits for a neighbour that lasts.
#include <csignal>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "pool/facts.hpp"

namespace brood::testing {
namespace {

enum class Deed { twice, throws, dies, lasts, large, until_stopped };

// One function for all, so that any of them may be neighbours.
std::string act(Deed deed, int i, const std::string& path) {
  switch (deed) {
    case Deed::twice: break;
    case Deed::throws: throw std::runtime_error(std::to_string(i));
    case Deed::dies:
      note_run(path);
      ::raise(SIGKILL);
      break;
    case Deed::lasts: until_there(path); break;
    case Deed::large: return std::string(2000, 'x') + std::to_string(2 * i);
    case Deed::until_stopped: until_stopped(); break;
  }
  return std::to_string(2 * i);
}

constexpr int calls = 4000;

class Bundles : public AllContexts {
 protected:
  // Calls are known to be short, and have a long line behind them when it opens.
  void begin(const std::vector<std::pair<int, Deed>>& special) {
    for (int round = 0; round < 5; ++round) {
      std::vector<AsyncResult<std::string>> warm;
      for (int i = 0; i < 500; ++i) warm.push_back(pool.apply_async(act, Deed::twice, i, ""));
      for (const auto& each : warm) each.wait();
    }
    const std::string gate = scratch.path("gate");
    std::vector<AsyncResult<int>> held;
    for (int i = 0; i < 2; ++i) held.push_back(pool.apply_async(until_there, gate));
    std::vector<Deed> deeds(calls, Deed::twice);
    for (const auto& [at, deed] : special) deeds[static_cast<std::size_t>(at)] = deed;
    for (int i = 0; i < calls; ++i) {
      results.push_back(
          pool.apply_async(act, deeds[static_cast<std::size_t>(i)], i, scratch.path("go")));
    }
    write_file(gate, "");
  }

  // All but those few.
  void expect_the_others(const std::set<int>& but) {
    for (int i = 0; i < calls; ++i) {
      if (but.contains(i)) continue;
      ASSERT_EQ(result(i).get(), std::to_string(2 * i)) << i;
    }
  }
  const AsyncResult<std::string>& result(int i) const {
    return results[static_cast<std::size_t>(i)];
  }

  const Scratch scratch;
  Pool pool = make_pool(2);
  std::vector<AsyncResult<std::string>> results;
};
INSTANTIATE_TEST_SUITE_P(contexts, Bundles, every_context, name_of);

class CrashingBundles : public Bundles {};
INSTANTIATE_TEST_SUITE_P(contexts, CrashingBundles, every_process, name_of);

TEST_P(Bundles, give_each_call_its_own_value) {
  begin({});
  expect_the_others({});
  EXPECT_EQ(pool.stats().queued, 0U);
  // A thread counts a moment after its result is there.
  eventually([&] { return pool.stats().running == 0; });
}

// Whoever waits for one of them may be what another waits for.
TEST_P(Bundles, let_no_call_wait_for_a_neighbour_that_lasts) {
  begin({{1500, Deed::lasts}});
  expect_the_others({1500});
  EXPECT_FALSE(result(1500).ready());
  write_file(scratch.path("go"), "");
  expect_the_others({});
}

TEST_P(Bundles, fail_only_the_calls_that_throw) {
  std::vector<std::pair<int, Deed>> special;
  std::set<int> throwing;
  for (int i = 3; i < calls; i += 97) throwing.insert(i);
  for (int i = 3000; i < 3040; ++i) throwing.insert(i);
  for (const int i : throwing) special.emplace_back(i, Deed::throws);
  begin(special);
  expect_the_others(throwing);
  for (const int i : throwing) {
    try {
      result(i).get();
      ADD_FAILURE() << i << " has a value";
    } catch (const std::runtime_error& thrown) {
      EXPECT_EQ(thrown.what(), std::to_string(i));
    }
  }
  EXPECT_EQ(pool.stats().failed, throwing.size());
}

TEST_P(Bundles, carry_a_value_that_does_not_fit_beside_the_others) {
  std::vector<std::pair<int, Deed>> special;
  std::set<int> large;
  for (int i = 1000; i < calls; i += 333) large.insert(i);
  for (const int i : large) special.emplace_back(i, Deed::large);
  begin(special);
  expect_the_others(large);
  for (const int i : large) {
    EXPECT_EQ(result(i).get(), std::string(2000, 'x') + std::to_string(2 * i));
  }
}

TEST_P(CrashingBundles, lose_only_the_call_that_crashed) {
  const std::set<int> dying{700, 1501, 1502, 2999, 3999};
  std::vector<std::pair<int, Deed>> special;
  for (const int i : dying) special.emplace_back(i, Deed::dies);
  begin(special);
  expect_the_others(dying);
  for (const int i : dying) EXPECT_THROW(result(i).get(), WorkerCrashed) << i;
  EXPECT_EQ(pool.stats().crashed, dying.size());
  EXPECT_EQ(runs_noted(scratch.path("go")), dying.size()) << "each once";
}

TEST_P(Bundles, are_left_by_calls_that_are_withdrawn) {
  begin({{2000, Deed::lasts}, {2001, Deed::lasts}});
  eventually([&] { return pool.poll(result(2000).id()) == JobState::running; });
  // Behind the lasting ones; some are in lanes, some still in line, some were run.
  std::set<int> withdrawn{2000, 2001};
  for (int i = 2002; i < calls; i += 3) {
    if (result(i).cancel(60s)) withdrawn.insert(i);
  }
  for (const int i : {2000, 2001}) EXPECT_TRUE(result(i).cancel(60s));
  for (const int i : withdrawn) EXPECT_THROW(result(i).get(), CancelledError) << i;
  expect_the_others(withdrawn);
  EXPECT_EQ(pool.stats().queued, 0U);
}

TEST_P(Bundles, stop_only_the_call_that_is_asked_to) {
  begin({{2500, Deed::until_stopped}});
  eventually([&] { return pool.poll(result(2500).id()) == JobState::running; });
  const auto before = pool.stats().crashed;
  EXPECT_TRUE(result(2500).cancel(60s));
  expect_the_others({2500});
  EXPECT_EQ(pool.stats().crashed, before);
}

TEST_P(CrashingBundles, lose_nobody_when_a_call_is_killed_after_its_grace) {
  begin({{2500, Deed::lasts}});
  eventually([&] { return pool.poll(result(2500).id()) == JobState::running; });
  EXPECT_TRUE(result(2500).cancel(0s));
  expect_the_others({2500});
}

std::uint64_t own_number() { return this_task::id().number; }
std::uint64_t own_seed() { return this_task::seed(); }
std::size_t own_index() { return this_task::index(); }

TEST_P(Bundles, tell_each_call_who_it_is) {
  const auto all_of = [&](auto function) {
    std::vector<AsyncResult<decltype(function())>> made;
    for (int i = 0; i < calls; ++i) made.push_back(pool.apply_async(function));
    return made;
  };
  for (int round = 0; round < 3; ++round) {
    for (const auto& each : all_of(own_number)) ASSERT_EQ(each.get(), each.id().number);
  }
  std::set<std::uint64_t> seeds;
  for (const auto& each : all_of(own_seed)) seeds.insert(each.get());
  EXPECT_EQ(seeds.size(), static_cast<std::size_t>(calls));
  for (const auto& each : all_of(own_index)) ASSERT_EQ(each.get(), 0U);
}

TEST_P(Bundles, tell_whoever_asks_for_the_first_of_many) {
  begin({});
  std::size_t seen = 0;
  for (auto& each : as_completed(results)) {
    EXPECT_TRUE(each.ready());
    ++seen;
  }
  EXPECT_EQ(seen, static_cast<std::size_t>(calls));
}

TEST_P(CrashingBundles, end_with_their_pool) {
  begin({{2000, Deed::lasts}});
  pool.terminate();
  int answered = 0;
  for (const auto& each : results) {
    ASSERT_TRUE(each.ready());
    if (each.successful()) ++answered;
  }
  EXPECT_LT(answered, calls);
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
