// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

#include "pool/this_task.hpp"
#include "pool/thread_engine.hpp"

namespace brood::detail {

// One thread of the pool and the piece that it's at.
//
// An item is open, or settled by one of two: its thread (end_items), or whoever
// gives it up (`take_away`). The word decides.
class ThreadEngine::Run final : public HereRun, public TaskContext {
 public:
  explicit Run(ThreadEngine& owner) noexcept : engine(owner) {}

  std::size_t begin_items(std::size_t first_of_them, std::size_t most) override {
    if (given_up.load(std::memory_order_acquire) || job->ready()) return 0;
    at(first_of_them);
    if (timed) since_.store(Clock::now().time_since_epoch().count(), std::memory_order_relaxed);
    word_.store(open_item, std::memory_order_release);
    return timed ? 1 : std::min(most, at_once);
  }
  bool end_items() noexcept override { return close_word(); }
  void kept(std::size_t items) override { kept_items.fetch_add(items, std::memory_order_release); }
  void failed(std::size_t item, std::exception_ptr error) override {
    const std::lock_guard lock(engine.mutex_);
    engine.fail_item(*job, item, std::move(error));
  }

  bool stop_requested() const noexcept override {
    return given_up.load(std::memory_order_acquire) || job->ready();
  }
  JobId id() const noexcept override { return job->id(); }
  std::uint64_t sequence() const noexcept override { return seed_sequence; }
  std::size_t index() const noexcept override {
    return item_.load(std::memory_order_relaxed) + first_index;
  }
  void report(std::uint64_t done, std::uint64_t total) noexcept override {
    progress_done.store(done, std::memory_order_relaxed);
    progress_total.store(total, std::memory_order_relaxed);
  }

  // The open item is not the thread's any more. False when there's none.
  bool take_away() noexcept { return close_word(); }
  bool has_open_item() const noexcept { return word_.load(std::memory_order_acquire) == open_item; }
  std::size_t item() const noexcept { return item_.load(std::memory_order_relaxed); }
  Clock::time_point since() const noexcept {
    return Clock::time_point(Clock::duration(since_.load(std::memory_order_relaxed)));
  }

  ThreadEngine& engine;
  // Guarded by the engine's lock, but for reads by the thread itself.
  JobRef<Job> job;
  std::size_t first = 0;
  std::size_t count = 0;
  std::size_t first_index = 0;
  std::uint64_t seed_sequence = 0;
  bool timed = false;
  std::size_t place = 0;    // of the engine's
  std::size_t at_once = 1;  // items to begin together, where they have no deadlines
  Clock::duration waited{};
  // By the thread; taken by whoever accounts for them.
  std::atomic<std::size_t> kept_items{0};
  std::atomic<bool> given_up{false};
  std::atomic<std::uint64_t> progress_done{0};
  std::atomic<std::uint64_t> progress_total{0};

 private:
  static constexpr std::uint32_t no_item = 0;
  static constexpr std::uint32_t open_item = 1;

  bool close_word() noexcept {
    std::uint32_t expected = open_item;
    return word_.compare_exchange_strong(expected, no_item, std::memory_order_acq_rel);
  }

  std::atomic<std::uint32_t> word_{no_item};
  std::atomic<Clock::rep> since_{0};
};

}  // namespace brood::detail
