// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <semaphore>
#include <shared_mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <brood/base/error.hpp>

#include "process/nursery.hpp"
#include "process/order.hpp"

// What this program has of brood's: its nursery, its life-line, the threads that
// are brood's own. One per process; a user-forked child has none of its parent's.
namespace brood::process {

// As brood::init has it: starts the nursery, unless there's one. Called by the
// first Pool or Process too. `user`: the user's own call, which promises that
// the program, started anew, comes by here before anything that matters.
// Throws: ContextError when other threads run already.
enum class Caller { user, library };
void make_home(Caller caller);

// Changes in each copy of a process, the user's forks and brood's children alike:
// what was made before is another's. Cheaper than asking for the pid.
extern constinit std::atomic<std::uint64_t> generation;
inline std::uint64_t fork_generation() noexcept {
  return generation.load(std::memory_order_relaxed);
}
// Throws: ContextError when that generation is not this process's own.
void require_own(std::uint64_t made_in, const char* what);

// Throws: ContextError where a program would have to start anew whose user never called
// brood::init.
void require_init_for(StartMethod method);
// A child from the program's nursery, healed if it had died.
// Throws: ContextError (spawned, but the user never called init), SystemError.
os::Child bear(const Order& order, std::span<const int> descriptors);
std::shared_ptr<Nursery> home_nursery();
// What `bear` does with the program's nursery, for children that start so. Where that died
// between the look and the order, nothing was born: once more, from its twin or a new one.
// Throws: as bear does.
template <typename Bear>
auto from_home_nursery(StartMethod method, const Bear& bear) {
  require_init_for(method);
  try {
    return bear(*home_nursery());
  } catch (const ContextError&) {
    return bear(*home_nursery());
  }
}

// A copy of this program as it is now, which runs `entry` in place. For
// Context::fork. The child keeps the user's descriptors and loses brood's.
// Throws: ContextError when threads that are not brood's run; it names them.
os::Child fork_here(const Order& order, std::vector<os::UniqueFd> descriptors, Entry entry);

// The same as a nursery: `entry` finds a nursery's own descriptors first, and
// serves in the end.
std::shared_ptr<Nursery> fork_nursery(const Order& order, std::span<const int> descriptors,
                                      Entry entry);

// The read end that ties children to this program.
int lifeline();
// For a nursery: readable, or hung up, once this program is gone.
os::UniqueFd watch_on_program();

// While somebody holds it, a second nursery stands by, for when the first dies.
void hold_spare_nursery();
void drop_spare_nursery() noexcept;
// Makes it, or makes it anew. Blocks: for a birth.
// Throws: ContextError, SystemError where that does not succeed.
void renew_spare_nursery();

// A copy of a nursery, that serves as it does.
// Blocks: for a birth. Throws: as Nursery::birth does.
std::shared_ptr<Nursery> make_twin(Nursery& of);

// Threads of brood's own hold it shared while they do anything but sleep, so
// that a fork (which takes it whole) copies no lock that is held.
std::shared_mutex& fork_gate() noexcept;

// Says that the calling thread is brood's own, and of no concern to a fork.
class OwnThread {
 public:
  explicit OwnThread(const char* name);
  ~OwnThread();
  OwnThread(const OwnThread&) = delete;
  OwnThread& operator=(const OwnThread&) = delete;

 private:
  int tid_;
};

// In a thread of brood's own: while it lives, the thread is the user's to a fork, which is
// refused where this lasts. For what may take its time or wait for something, with the
// gate open.
// Blocks: while somebody forks.
class ForeignWork {
 public:
  ForeignWork();
  ~ForeignWork();
  ForeignWork(const ForeignWork&) = delete;
  ForeignWork& operator=(const ForeignWork&) = delete;

 private:
  int tid_;
};

// A thread of brood's own that begins while its starter does something else.
class StartingThread {
 public:
  StartingThread(const char* name, std::function<void()> body);
  // It's known as brood's own when this returns, to be called once.
  // Blocks: until it has begun.
  std::thread wait();

 private:
  std::shared_ptr<std::binary_semaphore> known_;
  std::thread thread_;
};

// The same at once.
std::thread start_own_thread(const char* name, std::function<void()> body);

// Names of the threads that are neither the calling one nor brood's own.
std::vector<std::string> foreign_threads();
// Those that are still there after a moment: one may be past its last line, joined or
// of a pool that has ended, and yet be known to the kernel.
// Blocks: some 100 ms where there are any.
std::vector<std::string> lasting_foreign_threads();

// In a child that just began: it has nothing of its parent's home but the
// life-line's read end, which is returned; -1 where there is none.
int leave_home() noexcept;

}  // namespace brood::process
