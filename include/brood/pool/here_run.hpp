// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>

#include <brood/base/export.hpp>

namespace brood::detail {

// A piece of work on a thread of this program, as the job sees the engine:
//
//     const std::size_t many = run.begin_items(i, left);  // 0: not wanted any more
//     for each of them: run.at(i) or a loop's number to follow, call;
//     if (run.end_items()) keep the values or fail
//
// end_items decides between this thread and whoever gave the items up meanwhile (a
// timeout): the value of an item that was given up is dropped. Several are begun
// at once where none can be given up, so that short ones cost little.
class BROOD_EXPORT HereRun {
 public:
  virtual std::size_t begin_items(std::size_t first, std::size_t most) = 0;
  // The item that is called now.
  void at(std::size_t item) noexcept { item_.store(item, std::memory_order_relaxed); }
  // The same of several, where nobody else may ask: the number is read where the loop has
  // it, so that a loop which calls nothing need not write it. Null: it's the one of `at`.
  void follow(const std::size_t* item) noexcept { followed_ = item; }
  // True: the items are this thread's to settle, by `kept` or `failed`.
  bool end_items() noexcept {
    if (is_timed_) return take_away();
    word_.store(no_item, std::memory_order_relaxed);
    return true;
  }
  // Of the thread's own number, which is taken only under the engine's lock.
  void kept(std::size_t items) noexcept { kept_.fetch_add(items, std::memory_order_release); }
  virtual void failed(std::size_t item, std::exception_ptr error) = 0;

  // The same of a call, which has one item: without a deadline nobody but its thread ends it,
  // and nobody takes the number before.
  bool begin_call() {
    if (is_timed_) return begin_items(0, 1) != 0;
    word_.store(open_item, std::memory_order_release);
    return true;
  }
  void kept_call() noexcept { kept_.store(1, std::memory_order_release); }

 protected:
  static constexpr std::uint32_t no_item = 0;
  static constexpr std::uint32_t open_item = 1;

  ~HereRun() = default;

  // The open item is not the thread's any more. False when there's none.
  bool take_away() noexcept {
    std::uint32_t expected = open_item;
    return word_.compare_exchange_strong(expected, no_item, std::memory_order_acq_rel);
  }

  // For the thread itself.
  std::size_t current_item() const noexcept {
    return followed_ ? *followed_ : item_.load(std::memory_order_relaxed);
  }

  std::atomic<std::size_t> item_{0};
  std::atomic<std::size_t> kept_{0};  // items, until they are accounted for
  std::atomic<std::uint32_t> word_{no_item};
  bool is_timed_ = false;
  const std::size_t* followed_ = nullptr;
};

}  // namespace brood::detail
