// SPDX-License-Identifier: MIT
//
// The program's own signals and children, beside a pool's.
#include <signal.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "pool/contexts.hpp"
#include "support/census.hpp"
#include "support/watchdog.hpp"

namespace brood::testing {
namespace {

int square(int x) { return x * x; }
int own_pid() { return static_cast<int>(::getpid()); }
void for_ever() {
  for (;;) ::pause();
}

// Linux makes the end of a process that called exec known as any child's: by
// SIGCHLD, and to waitpid(-1).
bool is_seen(Context context) { return context == Context::spawn; }

// Since Linux 6.15 a status can't be stolen.
bool keeps_statuses() {
  struct utsname about{};
  ::uname(&about);
  int major = 0;
  int minor = 0;
  std::sscanf(about.release, "%d.%d", &major, &minor);
  return major > 6 || (major == 6 && minor >= 15);
}

// Births, deaths of every kind and an end, of a pool and of a Process.
void live_and_die(Context context) {
  {
    Pool pool({.processes = 2, .context = context});
    EXPECT_EQ(pool.map(square, {1, 2, 3}), (std::vector{1, 4, 9}));
    for (const int number : {SIGKILL, SIGSEGV, SIGTERM}) {
      try {
        pool.apply([](int it) { ::raise(it); }, number);
        ADD_FAILURE() << "a task outlived signal " << number;
      } catch (const WorkerCrashed& crash) {
        EXPECT_EQ(crash.signal(), number);
      }
    }
    try {
      pool.apply([] { ::_exit(7); });
      ADD_FAILURE() << "a task outlived _exit";
    } catch (const WorkerCrashed& crash) {
      EXPECT_EQ(crash.exit_code(), 7);
    }
    EXPECT_EQ(pool.apply(square, 3), 9);
    pool.apply_async(for_ever);
  }
  Process process({.daemon = true, .context = context}, [] { ::_exit(5); });
  process.start();
  process.join();
  EXPECT_EQ(process.exitcode(), 5);
}

class Signals : public Processes {};
INSTANTIATE_TEST_SUITE_P(contexts, Signals, every_process, name_of);

std::atomic<int> children_that_ended{0};

TEST_P(Signals, of_children_tell_the_program_of_its_own_alone) {
  ::signal(SIGCHLD, [](int) { ++children_that_ended; });
  live_and_die(GetParam());
  if (!is_seen(GetParam())) {
    EXPECT_EQ(children_that_ended, 0);
  }
  children_that_ended = 0;
  const pid_t own = ::fork();
  if (own == 0) ::_exit(3);
  int status = 0;
  EXPECT_EQ(::waitpid(own, &status, 0), own);
  EXPECT_EQ(WEXITSTATUS(status), 3);
  EXPECT_TRUE(Watchdog().sees([] { return children_that_ended == 1; }));
  ::signal(SIGCHLD, SIG_DFL);
}

TEST_P(Signals, of_children_may_be_ignored) {
  if (is_seen(GetParam()) && !keeps_statuses()) return;
  const Census before = Census::take();
  ::signal(SIGCHLD, SIG_IGN);
  live_and_die(GetParam());
  ::signal(SIGCHLD, SIG_DFL);
  EXPECT_EQ(left_since(before), "");
}

TEST_P(Signals, let_a_program_wait_for_any_child_of_its_own) {
  if (is_seen(GetParam()) && !keeps_statuses()) return;
  std::atomic<bool> enough{false};
  std::atomic<int> foreign{0};
  std::thread reaper([&] {
    while (!enough) {
      if (::waitpid(-1, nullptr, WNOHANG) > 0) ++foreign;
      std::this_thread::yield();
    }
  });
  if (GetParam() == Context::fork) {
    // Which a second thread forbids.
    enough = true;
    reaper.join();
    Pool pool({.processes = 2, .context = GetParam()});
    pool.map(square, {1, 2, 3});
    EXPECT_THROW(pool.apply([] { ::raise(SIGKILL); }), WorkerCrashed);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
    return;
  }
  live_and_die(GetParam());
  enough = true;
  reaper.join();
  if (!is_seen(GetParam())) {
    EXPECT_EQ(foreign, 0);
  }
}

TEST_P(Signals, of_a_broken_pipe_never_come_of_a_worker_that_died) {
  ASSERT_EQ(::signal(SIGPIPE, SIG_DFL), SIG_DFL);
  Pool pool({.processes = 2, .context = GetParam()});
  const std::string large(2 << 20, 'x');
  const auto size = [](const std::string& text) { return text.size(); };
  for (int round = 0; round < 20; ++round) {
    const int worker = pool.apply(own_pid);
    std::vector<AsyncResult<std::size_t>> results;
    for (int i = 0; i < 8; ++i) {
      if (i == 4) ::kill(worker, SIGKILL);
      results.push_back(pool.apply_async({.retries = 3}, size, large));
    }
    for (auto& each : results) EXPECT_EQ(each.get(), large.size());
  }
}

std::set<int> blocked_signals() {
  sigset_t mask;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  std::set<int> all;
  for (int number = 1; number < NSIG; ++number) {
    if (::sigismember(&mask, number) == 1) all.insert(number);
  }
  return all;
}

TEST_P(Signals, that_the_program_blocks_are_its_own_affair) {
  sigset_t some;
  ::sigemptyset(&some);
  for (const int number : {SIGINT, SIGTERM, SIGUSR1, SIGCHLD, SIGPROF}) ::sigaddset(&some, number);
  ::pthread_sigmask(SIG_BLOCK, &some, nullptr);
  const std::set<int> before = blocked_signals();
  {
    Pool pool({.processes = 1, .context = GetParam()});
    EXPECT_EQ(pool.apply([] { return blocked_signals(); }), std::set<int>{});
    EXPECT_THROW(pool.apply([] { ::raise(SIGTERM); }), WorkerCrashed);
    EXPECT_EQ(blocked_signals(), before);
    pool.apply_async(for_ever);
  }
  Process process({.context = GetParam()}, for_ever);
  process.start();
  process.terminate();
  process.join();
  EXPECT_EQ(process.exitcode(), -SIGTERM);
  EXPECT_EQ(blocked_signals(), before);
}

// A thread that a fault ends by force runs no handler: those can't be blocked
// with profit.
TEST_P(Signals, of_faults_are_blocked_in_no_thread) {
  Pool pool({.processes = 1, .context = GetParam()});
  std::atomic<bool> called{false};
  std::set<int> blocked;
  auto result = pool.apply_async({.callback =
                                      [&](int) {
                                        blocked = blocked_signals();
                                        called = true;
                                      }},
                                 square, 2);
  ASSERT_TRUE(Watchdog().sees([&] { return called.load(); }));
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS}) {
    EXPECT_EQ(blocked.count(number), 0U) << number;
  }
  EXPECT_EQ(blocked.count(SIGINT), 1U);
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
