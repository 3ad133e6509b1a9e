// SPDX-License-Identifier: MIT
//
// What a task frees is the next one's, as long as they follow each other.
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "pool/facts.hpp"
#include "support/watchdog.hpp"

namespace brood::testing {
namespace {

constexpr std::size_t pages = 16'384;

// Page faults of a task that needs so many for a moment.
long faults_of_scratch_memory(int) {
  struct rusage before{};
  struct rusage after{};
  ::getrusage(RUSAGE_SELF, &before);
  std::vector<char> scratch(pages * 4096, 'x');
  asm volatile("" : : "r"(scratch.data()) : "memory");
  ::getrusage(RUSAGE_SELF, &after);
  return after.ru_minflt - before.ru_minflt;
}

// In kB.
std::size_t resident_memory(int pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string word; status >> word;) {
    std::size_t amount = 0;
    if (word == "VmRSS:" && status >> amount) return amount;
  }
  return 0;
}

class FreedMemory : public Processes {};
INSTANTIATE_TEST_SUITE_P(contexts, FreedMemory, every_process, name_of);

TEST_P(FreedMemory, of_a_task_is_there_for_the_next) {
  Pool pool = make_pool(1);
  // In one piece, as an idle worker gives it back.
  const std::vector<int> items(4);
  const auto faults = pool.map({.chunksize = 4}, faults_of_scratch_memory, items);
  EXPECT_LT(faults.back(), static_cast<long>(pages / 10));
}

TEST_P(FreedMemory, is_given_back_by_an_idle_worker) {
  Pool pool = make_pool(1);
  const int worker = pool.apply(own_pid);
  const std::size_t before = resident_memory(worker);
  ASSERT_NE(before, 0u);
  const std::vector<int> items(4);
  pool.map({.chunksize = 4}, faults_of_scratch_memory, items);
  EXPECT_TRUE(Watchdog().sees([&] { return resident_memory(worker) < before + 8'000; }));
}

// It has no end: what can't be given back is no reason to try again and again.
TEST_P(FreedMemory, that_is_in_use_lets_an_idle_worker_sleep) {
  Pool pool = make_pool(1);
  const int worker = pool.apply([] {
    static std::vector<char> kept;
    kept.assign(pages * 4096, 'x');
    return own_pid();
  });
  const auto naps = [&] {
    std::ifstream status("/proc/" + std::to_string(worker) + "/status");
    for (std::string word; status >> word;) {
      int count = 0;
      if (word == "voluntary_ctxt_switches:" && status >> count) return count;
    }
    return -1;
  };
  // It lies down, and gets up once to give back what it can.
  int last = -1;
  int unchanged = 0;
  EXPECT_TRUE(Watchdog().sees([&] {
    const int now = naps();
    unchanged = now == last ? unchanged + 1 : 0;
    last = now;
    return unchanged == 600;
  }));
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
