// SPDX-License-Identifier: MIT
//
// The nursery and its twin are killed at once, in a program with threads of its own,
// of which no copy can be made.
#include <signal.h>
#include <unistd.h>

#include <future>
#include <thread>
#include <vector>

#include "pool/contexts.hpp"
#include "support/processes.hpp"
#include "support/watchdog.hpp"

namespace brood::testing {
namespace {

int square(int x) { return x * x; }

// A worker that is just born still bears its nursery's name.
struct Family {
  std::vector<int> nurseries;
  std::size_t others = 0;
};

Family family() {
  Family found;
  for (const auto& sight : descendants_of(::getpid())) {
    if (sight.state == 'Z') continue;
    if (sight.name == "brood-nursery") {
      found.nurseries.push_back(sight.pid);
    } else {
      ++found.others;
    }
  }
  return found;
}

// Those that stand by too: they are born one after the other.
bool all_nurseries_are_killed(std::size_t workers) {
  Family doomed;
  const bool both = Watchdog().sees([&] {
    doomed = family();
    return doomed.nurseries.size() == 2 && doomed.others == workers;
  });
  for (const int pid : doomed.nurseries) ::kill(pid, SIGSTOP);
  for (const int pid : doomed.nurseries) ::kill(pid, SIGKILL);
  return both;
}

class Healing : public AllContexts {};
INSTANTIATE_TEST_SUITE_P(contexts, Healing, ::testing::Values(Context::forkserver, Context::spawn),
                         name_of);

TEST_P(Healing, has_the_program_anew_as_a_nursery_when_all_are_killed) {
  std::promise<void> enough;
  std::thread other([&] { enough.get_future().wait(); });
  {
    Pool pool = make_pool(2);
    for (int round = 1; round <= 3; ++round) {
      ASSERT_TRUE(all_nurseries_are_killed(2));
      EXPECT_THROW(pool.apply([] { ::raise(SIGKILL); }), WorkerCrashed);
      EXPECT_THROW(pool.apply([] { ::raise(SIGKILL); }), WorkerCrashed);
      // Both of those that are born since.
      EXPECT_EQ(pool.map(square, {1, 2, 3}), (std::vector{1, 4, 9}));
      EXPECT_TRUE(Watchdog().sees([&] {
        return pool.stats().respawned == 2U * static_cast<unsigned>(round);
      })) << pool.stats().respawned
          << " in round " << round;
    }
  }
  enough.set_value();
  other.join();
  // The nursery is another's number now; one is there, as before.
  EXPECT_TRUE(Watchdog().sees([] { return family().nurseries.size() == 1; }));
  EXPECT_EQ(descendants_of(::getpid()).size(), 1U) << list_of(descendants_of(::getpid()));
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
