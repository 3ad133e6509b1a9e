// SPDX-License-Identifier: MIT
//
// Where the threads of a pool run, and how nice they are.
#include <exception>
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

// Linux wakes a thread on its waker's CPU, and leaves it there for some milliseconds though
// another CPU idles, where that one does so for moments only. Who has something to do, or
// looks for it, goes where no other of this pool is awake. Once a tick at most: where other
// programs need the CPUs, it's for Linux to choose.
void ThreadEngine::spread(Run& run) noexcept {
  if (!places_.empty()) return;
  run.note_cpu();
  const int here = run.cpu.load(std::memory_order_relaxed);
  const auto for_each_awake = [&](const auto& visit) {
    for (Run* each = runs_ever_.load(std::memory_order_acquire); each; each = each->next) {
      const int its = each == &run ? -1 : each->cpu.load(std::memory_order_relaxed);
      if (its >= 0) visit(its);
    }
  };
  bool is_crowded = false;
  for_each_awake([&](int cpu) { is_crowded |= cpu == here; });
  const os::RoughStamp now = is_crowded ? os::rough_stamp() : 0;
  if (!is_crowded || std::exchange(run.moved_at, now) == now) return;
  try {
    std::vector<int> taken;
    for_each_awake([&](int cpu) { taken.push_back(cpu); });
    os::avoid_cpus(taken);
  } catch (const std::exception&) {
    // It works where it is, too.
  }
  run.note_cpu();
}

void ThreadEngine::settle_down(const Run& run) {
  if (run.place < places_.size()) os::occupy(places_[run.place]);
  // One that is nicer already, since a nicer thread started it, may have to stay so.
  if (niceness_) os::set_niceness(*niceness_);
}

}  // namespace brood::detail
