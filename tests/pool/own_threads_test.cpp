// SPDX-License-Identifier: MIT
//
// What a fork copies while a pool's own threads are at work: no lock that one of them
// holds, malloc's above all.
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <shared_mutex>
#include <vector>

#include "pool/facts.hpp"
#include "process/home.hpp"

namespace {

std::atomic<bool> watching{false};
std::atomic<int> unguarded{0};

// Of a thread of the pool's own, while a fork might come.
void look() noexcept {
  if (!watching.load() || ::syscall(SYS_gettid) == ::getpid()) return;
  std::shared_mutex& gate = brood::process::fork_gate();
  if (!gate.try_lock()) return;
  gate.unlock();
  ++unguarded;
}

}  // namespace

// Before the C library's own, for the whole program.
extern "C" {
void* __libc_malloc(std::size_t size);
void __libc_free(void* memory);

void* malloc(std::size_t size) {
  look();
  return __libc_malloc(size);
}
void free(void* memory) {
  if (memory) look();
  __libc_free(memory);
}
}

namespace brood::testing {
namespace {

// The pool is whole again after a crash, which only its own thread sees to.
void have_it_heal(Pool& pool) {
  const int pid = pool.apply(own_pid);
  EXPECT_THROW(pool.apply([] { ::raise(SIGKILL); }), WorkerCrashed);
  EXPECT_NE(pool.apply(own_pid), pid);
}

class OwnThreads : public Processes {};

TEST_P(OwnThreads, take_and_free_memory_only_where_no_fork_comes) {
  {
    Pool pool = make_pool(1);
  }  // the room in which they are listed
  watching = true;
  {
    Pool pool = make_pool(1);
    have_it_heal(pool);
    std::vector<AsyncResult<int>> results;
    for (int i = 0; i < 1000; ++i) results.push_back(pool.apply_async(square, i));
    for (const auto& result : results) result.get();
    have_it_heal(pool);
    watching = false;  // what follows its last line belongs to no thread of brood's
  }
  EXPECT_EQ(unguarded.exchange(0), 0);
}

INSTANTIATE_TEST_SUITE_P(contexts, OwnThreads, every_process, name_of);

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
