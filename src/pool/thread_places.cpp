// SPDX-License-Identifier: MIT
//
// Where the threads of a pool run, and how nice they are.
#include <exception>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <brood/base/error.hpp>

#include "os/niceness.hpp"
#include "pool/placement.hpp"
#include "pool/thread_run.hpp"

namespace brood::detail {

// Else the first worker that needs them would start them, in its own place and as nice as
// it is.
void ThreadEngine::start_callbacks() {
  try {
    callbacks_.start(*this);
  } catch (const std::system_error& refusal) {
    throw SystemError(refusal.code().value(),
                      std::string("cannot start the pool's thread: ") + refusal.what());
  }
}

// By those who work: of threads that wait for a slot any may get the next one.
std::vector<std::size_t> ThreadEngine::places_taken() const {
  std::vector<std::size_t> places;
  for (const Run* run : runs_) {
    if (run->has_slot) places.push_back(run->place);
  }
  return places;
}

// After other threads have slots than before: each looks before its next task.
void ThreadEngine::reconsider_places() noexcept {
  if (places_.empty()) return;
  for (Run* run : runs_) run->may_move.store(true, std::memory_order_relaxed);
}

// One look of each will do: a move makes no other place more crowded than the least one.
void ThreadEngine::move_over(Run& run) noexcept {
  if (!run.may_move.load(std::memory_order_relaxed)) return;
  try {
    {
      const std::lock_guard lock(mutex_);
      run.may_move.store(false, std::memory_order_relaxed);
      const auto taken = places_taken();
      if (!run.has_slot || !is_crowded(places_.size(), taken, run.place)) return;
      run.place = free_place(places_.size(), taken);
    }
    os::occupy(places_[run.place]);
  } catch (const std::exception&) {
    // It works where it is, too.
  }
}

// Whether another thread of the pool is awake on this one's CPU.
bool ThreadEngine::shares_cpu(Run& run) const noexcept {
  run.note_cpu();
  const int here = run.cpu.load(std::memory_order_relaxed);
  for (Run* each = runs_ever_.load(std::memory_order_acquire); each; each = each->next) {
    if (each != &run && each->cpu.load(std::memory_order_relaxed) == here) return true;
  }
  return false;
}

// False where it isn't there, or at something of the user's.
bool ThreadEngine::Run::send_off(int from, const std::vector<int>& taken) {
  if (cpu.load(std::memory_order_relaxed) != from) return false;
  const os::ThreadNumber number = movable_.load();
  os::ThreadNumber expected = number;
  if (number <= 0 || !movable_.compare_exchange_strong(expected, -1)) return false;
  struct Hold {
    ~Hold() { movable.store(number); }
    std::atomic<os::ThreadNumber>& movable;
    const os::ThreadNumber number;
  };
  const Hold hold{movable_, number};
  os::avoid_cpus(taken, number);
  // Until it says where it is.
  cpu.compare_exchange_strong(from, -1, std::memory_order_relaxed);
  return true;
}

// Linux wakes a thread on its waker's CPU, and leaves it there for some milliseconds though
// another CPU idles, where that one does so for moments only. Of two threads that share a
// CPU, one that only looks for work is sent where no other of this pool is awake, which is
// cheap while it doesn't run; else this one goes there. One at a time, or two would go to the
// same. Once a tick on average: where other programs need the CPUs, it's for Linux to choose,
// and where there are many threads for each.
void ThreadEngine::spread(Run& run) noexcept {
  if (!places_.empty() || wanted_workers_.load(std::memory_order_relaxed) > 2 * cpus_) return;
  if (!shares_cpu(run) || !run.may_spread()) return;
  if (spreading_.exchange(true)) return;
  try {
    const int here = run.cpu.load(std::memory_order_relaxed);
    std::vector<int> taken;
    for (Run* each = runs_ever_.load(std::memory_order_acquire); each; each = each->next) {
      const int its = each == &run ? -1 : each->cpu.load(std::memory_order_relaxed);
      if (its >= 0) taken.push_back(its);
    }
    bool sent = false;
    for (Run* each = runs_ever_.load(std::memory_order_acquire); each && !sent; each = each->next) {
      sent = each != &run && each->send_off(here, taken);
    }
    if (!sent) os::avoid_cpus(taken);
  } catch (const std::exception&) {
    // It works where it is, too.
  }
  run.note_cpu();
  spreading_.store(false);
}

// One that waits for a slot, and has it now. It needs the engine's lock to go on, and so
// does nothing of the user's before this returns.
void ThreadEngine::wake_at(Run& heir, int cpu) noexcept {
  std::optional<os::Confined> confined;
  try {
    if (cpu >= 0 && places_.empty()) confined.emplace(heir.thread, cpu);
  } catch (const std::exception&) {
    // It's woken where Linux wakes it.
  }
  heir.slot_there.notify_one();
}

void ThreadEngine::settle_down(const Run& run) {
  if (run.place < places_.size()) os::occupy(places_[run.place]);
  // One that is nicer already, since a nicer thread started it, may have to stay so.
  if (niceness_) os::set_niceness(*niceness_);
}

}  // namespace brood::detail
