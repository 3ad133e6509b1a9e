// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include <brood/base/export.hpp>
#include <brood/base/kill_point.hpp>
#include <brood/wire/reader.hpp>
#include <brood/wire/writer.hpp>

namespace brood::detail {

// One piece of work on the worker's side: the request's bytes, and where the
// answer goes. A thunk runs it item by item:
//
//     while (x.begin_item()) {
//       decode;  x.calling();  call;  x.encoding();  encode;  x.end_item();
//     }
//
// An exception simply leaves the thunk: the caller knows the item and the step,
// keeps the values of the items before it, and sends the rest elsewhere.
//
// Survives: the worker's death anywhere. Items that were ended keep their
// values, the begun one is the one that crashed, the others were never begun.
class BROOD_EXPORT Execution {
 public:
  // The encoded callable, and for a call its arguments behind it.
  std::span<const std::byte> callable() const noexcept { return callable_; }
  // Of its first bytes, which were not the callable's.
  void skip_callable(std::size_t size) noexcept { callable_ = callable_.subspan(size); }
  // The encoded items. 16-byte aligned, as each item that is not flat is.
  wire::Reader& items() noexcept { return items_; }
  std::span<const std::byte> item_bytes() const noexcept { return item_bytes_; }
  // Values go here, one after another.
  wire::Writer& answer() noexcept { return *answer_; }

  std::size_t count() const noexcept { return count_; }
  // How many items were ended so far; within the piece.
  std::size_t ended() const noexcept { return ended_; }

  // Publishes that the next item runs from now on. False when there is none, or
  // when it may not run any more: the thunk returns.
  bool begin_item() {
    if (ended_ == count_) return false;
    kill_point(KillPoint::before_item);
    step_ = Step::decoding;
    if (guarded_) return begin_guarded();
    begun_->store(ended_ + 1, std::memory_order_relaxed);
    kill_point(KillPoint::item_begun);
    return true;
  }
  void calling() noexcept { step_ = Step::calling; }
  // The value comes next, aligned: 16 for what is not flat, else 1. Room for
  // the padding is always there.
  void encoding(std::size_t alignment = 1) {
    step_ = Step::encoding;
    if (alignment > 1) answer_->align(alignment);
    value_begin_ = answer_->size();
  }
  // Publishes the value just encoded. Pairs with the acquire of whoever reads
  // the lane after this worker's death. A value that did not fit, or has memory sent
  // along, goes another way, and ends the piece.
  void end_item() {
    if (*goes_apart_) {
      count_ = ended_;
      return;
    }
    kill_point(KillPoint::value_encoded);
    answer_end_->store(answer_->size(), std::memory_order_relaxed);
    kill_point(KillPoint::values_counted);
    ended_word_->store(++ended_, std::memory_order_release);
    kill_point(KillPoint::item_ended);
  }

  // All items at once, where each value has `stride` bytes and nothing has to be
  // encoded: `step(i, to)` makes value i there. The same promises as above for the
  // price of two stores an item. False, with nothing done, where the items have
  // deadlines or the answer has no room for all.
  template <typename MakeValue>
  bool run_flat(std::size_t stride, MakeValue step) {
    if (guarded_ || ended_ != 0 || !answer_->has_room(count_ * stride)) return false;
    std::byte* to = answer_->reserve(count_ * stride);
    answer_end_->store(count_ * stride, std::memory_order_relaxed);
    step_ = Step::calling;
    std::size_t done = 0;
    const Counted counted{ended_, done};
    for (; done < count_; to += stride) {
      begun_->store(done + 1, std::memory_order_relaxed);
      kill_point(KillPoint::flat_item_begun);
      step(done, to);
      kill_point(KillPoint::flat_value_made);
      ended_word_->store(++done, std::memory_order_release);
      kill_point(KillPoint::flat_item_ended);
    }
    return true;
  }

 protected:
  // Tells how far it came, also when an exception ends it.
  struct Counted {
    std::size_t& to;
    const std::size_t& from;
    ~Counted() { to = from; }
  };

  enum class Step : std::uint8_t { decoding, calling, encoding };

  Execution(std::span<const std::byte> callable, std::span<const std::byte> items,
            std::size_t count, wire::Writer& answer) noexcept
      : callable_(callable), item_bytes_(items), items_(items), answer_(&answer), count_(count) {}
  ~Execution() = default;

  // Also publishes when the item began, for its deadline.
  bool begin_guarded();

  std::span<const std::byte> callable_;
  std::span<const std::byte> item_bytes_;
  wire::Reader items_;
  wire::Writer* answer_;
  std::size_t count_;
  std::size_t ended_ = 0;
  std::size_t value_begin_ = 0;  // in the answer
  // In the lane, by this worker; `begun_` of a guarded piece also by the parent.
  std::atomic<std::uint64_t>* begun_ = nullptr;
  std::atomic<std::uint64_t>* ended_word_ = nullptr;
  std::atomic<std::uint64_t>* answer_end_ = nullptr;
  std::atomic<std::int64_t>* item_since_ = nullptr;
  const bool* goes_apart_ = nullptr;
  Step step_ = Step::decoding;
  bool guarded_ = false;
};

// What a pool hands to a worker as the place to begin.
using Thunk = void (*)(Execution&);

// The same for a thread of this program.
class HereRun;

}  // namespace brood::detail
