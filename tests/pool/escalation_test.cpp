// SPDX-License-Identifier: MIT
//
// A worker that must go is asked, warned by SIGTERM, and killed: whatever it does
// about it, its place is free for another.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "pool/facts.hpp"

namespace brood::testing {
namespace {

class Escalation : public Processes {};
INSTANTIATE_TEST_SUITE_P(contexts, Escalation, every_process, name_of);

void spin() {
  for (volatile bool for_ever = true; for_ever;) {
  }
}

int farewell = -1;

// An initializer: from then on SIGTERM has the worker write its farewell, and end.
void prepare_a_farewell(const std::string& path) {
  farewell = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  ::signal(SIGTERM, [](int) {
    static_cast<void>(!::write(farewell, "bye", 3));
    ::_exit(1);
  });
}

void spin_and_ignore_sigterm() {
  ::signal(SIGTERM, SIG_IGN);
  spin();
}

void spin_with_all_signals_blocked() {
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  spin();
}

TEST_P(Escalation, warns_a_worker_so_that_it_can_tidy_up) {
  const Scratch scratch;
  const auto said = [&] { return read_file(scratch.path("farewell")); };
  PoolOptions polite = options(1);
  polite.initializer = task(prepare_a_farewell, scratch.path("farewell"));
  Pool pool(polite);
  EXPECT_THROW(pool.apply({.timeout = 50ms}, spin), TaskTimeout);
  EXPECT_EQ(pool.apply(square, 3), 9);  // by another worker: the first is gone
  EXPECT_EQ(said(), "bye");

  std::filesystem::remove(scratch.path("farewell"));
  Pool another(polite);
  auto unwanted = another.apply_async(spin);
  eventually([&] { return another.poll(unwanted.id()) == JobState::running; });
  EXPECT_TRUE(unwanted.cancel(0ms));
  EXPECT_EQ(another.apply(square, 3), 9);
  EXPECT_EQ(said(), "bye");
}

TEST_P(Escalation, kills_a_worker_that_is_deaf_to_it) {
  Pool pool = make_pool(1);
  EXPECT_THROW(pool.apply({.timeout = 50ms}, spin_and_ignore_sigterm), TaskTimeout);
  EXPECT_EQ(pool.apply(square, 3), 9);
  EXPECT_THROW(pool.apply({.timeout = 50ms}, spin_with_all_signals_blocked), TaskTimeout);
  EXPECT_EQ(pool.apply(square, 4), 16);
  EXPECT_EQ(pool.stats().respawned, 2U);
}

TEST_P(Escalation, does_not_keep_the_caller_waiting_for_the_workers_end) {
  Pool pool = make_pool(2);
  auto deaf = pool.apply_async({.timeout = 50ms}, spin_and_ignore_sigterm);
  EXPECT_THROW(deaf.get(), TaskTimeout);
  EXPECT_EQ(pool.map(square, {1, 2, 3}), (std::vector{1, 4, 9}));
  pool.terminate();
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
