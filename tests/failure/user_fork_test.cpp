// SPDX-License-Identifier: MIT
//
// A user who forks with a live pool: the child has nothing of it, and the parent
// does not notice.
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <future>
#include <iostream>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "pool/contexts.hpp"
#include "support/census.hpp"
#include "support/leaks.hpp"
#include "support/processes.hpp"
#include "support/watchdog.hpp"

namespace brood::testing {

// Before brood::init: what the tester was started with.
std::set<std::string> descriptors_at_start;

namespace {

int square(int x) { return x * x; }
int own_pid() { return static_cast<int>(::getpid()); }
void sleep_for_ever() {
  for (;;) ::pause();
}
void run_until_stopped() {
  while (!this_task::stop_token().stop_requested()) ::poll(nullptr, 0, 1);
}

// In a child: says which line is wrong, and makes it exit 1.
#define HOLDS(condition)                                      \
  do {                                                        \
    if (!(condition)) {                                       \
      std::cerr << "in the child: " #condition " is wrong\n"; \
      ::_exit(1);                                             \
    }                                                         \
  } while (false)

template <typename Call>
bool is_refused(Call call) {
  try {
    call();
  } catch (const ContextError& error) {
    return std::string(error.what()).find("the process that forked this one") != std::string::npos;
  }
  return false;
}

// The exit code of a child that runs `body` and leaves by exit, or minus a signal.
int in_child(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    std::exit(7);
  }
  int status = 0;
  const bool ended = Watchdog().sees([&] { return ::waitpid(child, &status, WNOHANG) == child; });
  EXPECT_TRUE(ended) << "the child hangs";
  if (!ended) {
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
  }
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

// Before a fork: what a thread that is still starting holds of the C library's, glibc sets
// free in the child; what it holds of a sanitizer's allocator stays locked there.
void let_other_threads_rest() {
  ASSERT_TRUE(Watchdog().sees([] {
    const auto all = enumerate();
    return std::all_of(all.begin(), all.end(), [](const ThreadInfo& each) {
      return each.native_id() == ::gettid() || each.state() == ThreadState::waiting;
    });
  }));
}

std::set<int> worker_pids(Pool& pool) {
  std::set<int> pids;
  for (const int pid : pool.map(
           MapOptions<int>{.chunksize = 1}, [](int) { return own_pid(); }, std::vector<int>(64))) {
    pids.insert(pid);
  }
  return pids;
}

class UserFork : public AllContexts {};
INSTANTIATE_TEST_SUITE_P(contexts, UserFork, every_context, name_of);

TEST_P(UserFork, destroys_nothing_in_the_child) {
  auto pool = std::make_unique<Pool>(options());
  auto finished = pool->apply_async(square, 4);
  ASSERT_EQ(finished.get(), 16);
  let_other_threads_rest();
  EXPECT_EQ(in_child([&] {
              // Takes the places in memory that the pool's lanes had in the parent.
              constexpr std::size_t size = 64 << 20;
              void* const memory =
                  ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              HOLDS(memory != MAP_FAILED);
              pool.reset();
              std::memset(memory, 1, size);
              HOLDS(finished.get() == 16);
              finished = {};
            }),
            7);
  EXPECT_EQ(pool->map(square, {1, 2, 3}), (std::vector{1, 4, 9}));
}

TEST_P(UserFork, leaves_the_parents_workers_alone) {
  if (GetParam() == Context::thread) return;  // has none
  Pool pool = make_pool(1);
  const auto before = worker_pids(pool);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(in_child([&] { const Pool mine = std::move(pool); }), 7);
  }
  EXPECT_EQ(worker_pids(pool), before);
  EXPECT_EQ(pool.stats().respawned, 0U);
}

TEST_P(UserFork, has_every_call_say_whose_the_pool_is) {
  Pool pool = make_pool();
  auto pending = pool.apply_async(run_until_stopped);
  std::vector<AsyncResult<void>> all{pending};
  const std::vector<int> items{1, 2, 3};
  EXPECT_EQ(in_child([&] {
              HOLDS(is_refused([&] { pool.apply(square, 2); }));
              HOLDS(is_refused([&] { pool.map(square, items); }));
              HOLDS(is_refused([&] { pool.apply_async(square, 2); }));
              HOLDS(is_refused([&] {
                for (const int x : pool.imap(square, items)) std::cerr << x;
              }));
              HOLDS(is_refused([&] { pool.close(); }));
              HOLDS(is_refused([&] { pool.join(); }));
              HOLDS(is_refused([&] { pool.resize(3); }));
              HOLDS(is_refused([&] { pool.stats(); }));
              HOLDS(is_refused([&] { pool.poll(pending.id()); }));
              HOLDS(is_refused([&] { pending.get(); }));
              HOLDS(is_refused([&] { pending.wait(1ms); }));
              HOLDS(is_refused([&] { pending.cancel(); }));
              HOLDS(is_refused([&] { wait(all, 1ms, ReturnWhen::first_completed); }));
              pool.terminate();
            }),
            7);
  EXPECT_FALSE(pending.ready());
  EXPECT_TRUE(pending.cancel(0ms));
}

TEST_P(UserFork, closes_the_pools_descriptors_in_the_child) {
  Pool pool = make_pool();
  pool.apply(square, 2);
  // The pool's thread, which hears of this one alone, has all its descriptors by now.
  std::promise<int> heard;
  pool.apply_async({.callback = [&](int value) { heard.set_value(value); }}, square, 3);
  EXPECT_EQ(heard.get_future().get(), 9);
  EXPECT_EQ(in_child([&] {
              for (const std::string& number : entries_of("/proc/self/fd")) {
                if (descriptors_at_start.contains(number)) continue;
                // The folder itself was open while it was read.
                if (::access(("/proc/self/fd/" + number).c_str(), F_OK) != 0) continue;
                std::cerr << "descriptor " << number << " is open in the child\n";
                ::_exit(1);
              }
            }),
            7);
}

TEST_P(UserFork, may_come_while_other_threads_use_the_pool) {
  Pool pool = make_pool();
  std::vector<int> items(2000);
  std::iota(items.begin(), items.end(), 0);
  std::atomic<bool> enough{false};
  std::vector<std::future<bool>> users;
  for (int i = 0; i < 2; ++i) {
    users.push_back(std::async(std::launch::async, [&] {
      bool right = true;
      while (!enough) right = right && pool.map(square, items).at(1999) == 1999 * 1999;
      return right;
    }));
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(in_child([&] {
                HOLDS(is_refused([&] { pool.apply(square, 2); }));
                const Pool mine = std::move(pool);
              }),
              7);
  }
  enough = true;
  for (auto& user : users) EXPECT_TRUE(user.get());
}

// The first of many that gets ready, again and again.
bool first_of_many(Pool& pool) {
  std::vector<AsyncResult<int>> results;
  for (int i = 0; i < 20; ++i) results.push_back(pool.apply_async(square, 3));
  const auto sorted = wait(results, {}, ReturnWhen::first_completed);
  return !sorted.done.empty() && sorted.done.front().get() == 9;
}

TEST_P(UserFork, may_come_while_a_thread_waits_for_the_first_of_many) {
  Pool pool = make_pool();
  std::atomic<bool> enough{false};
  auto user = std::async(std::launch::async, [&] {
    bool right = true;
    while (!enough) right = right && first_of_many(pool);
    return right;
  });
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(in_child([&] {
                Pool own({.processes = 1, .context = Context::thread});
                HOLDS(first_of_many(own));
              }),
              7);
  }
  enough = true;
  EXPECT_TRUE(user.get());
}

TEST_P(UserFork, may_come_while_a_thread_joins_the_pool) {
  auto pool = std::make_unique<Pool>(options());
  auto pending = pool->apply_async(run_until_stopped);
  pool->close();
  std::atomic<int> joiner_id{0};
  auto joined = std::async(std::launch::async, [&] {
    joiner_id = static_cast<int>(::gettid());
    return pool->join(1h);
  });
  // It sleeps: only in join can it.
  ASSERT_TRUE(Watchdog().sees([&] {
    const auto sight = look_at_process(joiner_id);
    return joiner_id != 0 && sight && sight->state == 'S';
  }));
  EXPECT_EQ(in_child([&] { pool.reset(); }), 7);
  pool->terminate();
  joined.get();
}

TEST_P(UserFork, lets_the_child_have_a_pool_of_its_own) {
  Pool pool = make_pool();
  let_other_threads_rest();
  EXPECT_EQ(in_child([&] {
              Pool own(options());
              HOLDS(own.map(square, {1, 2, 3}) == (std::vector{1, 4, 9}));
              HOLDS(is_refused([&] { pool.apply(square, 2); }));
            }),
            7);
  EXPECT_EQ(pool.apply(square, 3), 9);
}

// A worker of Context::fork is a copy of the program with all its pools.
TEST(inherited_pool, is_foreign_to_a_forked_worker) {
  static std::unique_ptr<Pool> inherited;
  inherited = std::make_unique<Pool>(2);
  inherited->apply(square, 2);
  Pool pool({.processes = 1, .context = Context::fork});
  EXPECT_THROW(pool.apply([] { return inherited->apply(square, 3); }), ContextError);
  EXPECT_EQ(inherited->apply(square, 3), 9);
  inherited.reset();
}

TEST(context_fork, is_refused_while_other_threads_run_and_names_them) {
  std::promise<void> enough;
  std::promise<void> named;
  std::thread other([&] {
    ::pthread_setname_np(::pthread_self(), "busy-bee");
    named.set_value();
    enough.get_future().wait();
  });
  named.get_future().wait();
  try {
    Pool pool({.processes = 1, .context = Context::fork});
    ADD_FAILURE() << "a pool was forked beside another thread";
  } catch (const ContextError& error) {
    EXPECT_NE(std::string(error.what()).find("'busy-bee'"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("Context::forkserver"), std::string::npos);
  }
  enough.set_value();
  other.join();
}

class Leftovers : public Processes {};
INSTANTIATE_TEST_SUITE_P(contexts, Leftovers, every_process, name_of);

TEST_P(Leftovers, of_a_pool_are_none) {
  const Census before = Census::take();
  {
    Pool pool = make_pool(3);
    pool.map(square, std::vector<int>(1000));
    EXPECT_THROW(pool.apply([] { ::raise(SIGKILL); }), WorkerCrashed);
    EXPECT_EQ(pool.apply([] { return std::string(8 * MiB, 'x'); }).size(), 8U * MiB);
  }
  EXPECT_EQ(left_since(before), "");
}

TEST_P(Leftovers, of_tasks_that_made_processes_are_none) {
  const Census before = Census::take();
  const auto sleepers = [] {
    std::size_t count = 0;
    for (const auto& sight : all_processes()) {
      // Dead ones are buried by whoever adopted them.
      count += sight.name == "brood-sleeper" && sight.state != 'Z' ? 1U : 0U;
    }
    return count;
  };
  {
    Pool pool = make_pool(1);
    // The last is that of a crashed worker, which the pool outlives.
    EXPECT_THROW(pool.apply([] {
      if (::fork() == 0) {
        ::pthread_setname_np(::pthread_self(), "brood-sleeper");
        sleep_for_ever();
      }
      ::raise(SIGKILL);
    }),
                 WorkerCrashed);
    EXPECT_TRUE(Watchdog().sees([&] { return sleepers() == 0; }));
    EXPECT_EQ(pool.apply(square, 3), 9);
  }
  EXPECT_EQ(left_since(before), "");
}

}  // namespace
}  // namespace brood::testing

int main(int argc, char** argv) {
  for (const auto& number : brood::testing::entries_of("/proc/self/fd")) {
    // The last is the folder's own, free again.
    if (::access(("/proc/self/fd/" + number).c_str(), F_OK) == 0) {
      brood::testing::descriptors_at_start.insert(number);
    }
  }
  brood::init(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
