// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <exception>
#include <optional>
#include <span>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <brood/pool/here_run.hpp>
#include <brood/pool/typed_map.hpp>

namespace brood::detail {

// A map that threads of this program run: nothing is encoded. Where values are
// flat they go to their place at once, otherwise into slots.
//
// Items that are plain bytes may stay in the caller's array, who waits for the map. A
// thread that was left behind may be at one of them when the caller goes on, so each
// copies some items at a time, and `end_loan` waits for a copy that is being made:
// that's short, and after it nobody begins another, since the job is ready.
template <typename F, typename Item, Unpack unpack, Errors errors>
class HereMap final : public TypedMap<item_result_t<F, Item, unpack>, errors> {
  using Result = item_result_t<F, Item, unpack>;

 public:
  // Whether an array of so many items is worth it.
  static constexpr bool may_borrow(std::size_t count) noexcept {
    return is_borrowable && count * sizeof(Item) >= (std::size_t{64} << 10);
  }

  template <typename Function>
  HereMap(Core& core, Function&& f, std::vector<Item> items)
      : TypedMap<Result, errors>(core), f_(std::forward<Function>(f)), items_(std::move(items)) {
    prepare(items_.size());
  }
  // Borrows them, until end_loan().
  template <typename Function>
  HereMap(Core& core, Function&& f, std::span<const Item> items)
      : TypedMap<Result, errors>(core), f_(std::forward<Function>(f)), borrowed_(items.data()) {
    prepare(items.size());
  }

  void run_here(std::size_t first, std::size_t count, HereRun& run) noexcept override {
    const std::size_t end = first + count;
    while (first < end) {
      const std::size_t many = run.begin_items(first, end - first);
      if (many == 0) return;
      first = many == 1 ? run_one(first, run) : run_some(first, first + many, run);
    }
  }

  void end_loan() noexcept override {
    // As a write, so that whoever begins to copy later sees that the job is ready.
    while (borrowed_ && copying_.fetch_add(0, std::memory_order_acq_rel) != 0) {
      std::this_thread::yield();
    }
  }

 protected:
  std::vector<std::optional<stored_t<Result>>> slots() override { return std::move(values_); }

 private:
  static constexpr bool is_borrowable = unpack == Unpack::no && std::is_trivially_copyable_v<Item>;
  static constexpr bool is_bool = std::is_same_v<Item, bool>;  // whose vector has no array
  // Between two looks whether they are still wanted: a loop of calls that are inlined is
  // faster without.
  static constexpr std::size_t few = 32;

  void prepare(std::size_t count) {
    this->set_item_count(count);
    if constexpr (!std::is_copy_constructible_v<F> && !wire::is_local_v<F>) {
      wire::encode_callable<F>(callable_, f_);
    }
    if constexpr (!has_flat_results<Result>) values_.resize(count);
  }

  // Returns the item that is next.
  std::size_t run_one(std::size_t item, HereRun& run) noexcept {
    if constexpr (is_borrowable) {
      if (borrowed_) {
        alignas(Item) std::byte copy[sizeof(Item)];
        if (!copy_borrowed(copy, item, 1)) return item + 1;
        return run_one(*reinterpret_cast<Item*>(copy), item, run);
      }
    }
    if constexpr (is_bool) {
      Item given = items_[item];
      return run_one(given, item, run);
    } else {
      return run_one(items_[item], item, run);
    }
  }

  std::size_t run_one(Item& given, std::size_t item, HereRun& run) noexcept {
    try {
      if constexpr (std::is_void_v<Result>) {
        call(given);
        if (run.end_items()) run.kept(1);
      } else {
        Result result = call(given);
        if (run.end_items()) {
          keep_here(item, std::move(result));
          run.kept(1);
        }
      }
    } catch (...) {
      if (run.end_items()) run.failed(item, std::current_exception());
    }
    return item + 1;
  }

  // Nobody else settles one of these: values go to their places at once.
  std::size_t run_some(std::size_t item, std::size_t end, HereRun& run) noexcept {
    const std::size_t first = item;
    std::exception_ptr thrown;
    run.follow(&item);
    try {
      if (borrowed_) {
        run_copies(item, end);
      } else {
        run_own(item, end);
      }
    } catch (...) {
      thrown = std::current_exception();
    }
    run.follow(nullptr);
    if (!run.end_items()) return end;
    run.kept(item - first);
    if (thrown) run.failed(item++, std::move(thrown));
    return item;
  }

  void run_own(std::size_t& item, std::size_t end) {
    if constexpr (is_bool) {
      while (item < end && !this->ready()) {
        Item given = items_[item];
        run_block(&given, item, item + 1);
      }
    } else {
      run_block(items_.data() + item, item, end);
    }
  }

  void run_copies(std::size_t& item, std::size_t end) {
    if constexpr (is_borrowable) {
      constexpr std::size_t most = std::max<std::size_t>(8192 / sizeof(Item), 1);
      alignas(Item) std::byte copies[most * sizeof(Item)];
      while (item < end) {
        const std::size_t stop = std::min(item + most, end);
        if (!copy_borrowed(copies, item, stop - item)) return;
        run_block(reinterpret_cast<Item*>(copies), item, stop);
        if (item != stop) return;
      }
    }
  }

  // `item` is the number of the first, and then of the one that it's at: this_task knows
  // its index by it. It's only written here, so that no call waits for it.
  void run_block(Item* given, std::size_t& item, std::size_t end) {
    for (std::size_t next = item; next < end && !this->ready();) {
      const std::size_t stop = std::min(next + few, end);
      for (; next < stop; ++next, ++given) {
        item = next;
        if constexpr (std::is_void_v<Result>) {
          call(*given);
        } else {
          keep_here(next, call(*given));
        }
      }
      item = next;
    }
  }

  // False when the job is ready, and the array may be gone.
  bool copy_borrowed(std::byte* to, std::size_t first, std::size_t count) noexcept {
    copying_.fetch_add(1, std::memory_order_acq_rel);
    const bool wanted = !this->ready();
    if (wanted) std::memcpy(to, static_cast<const void*>(borrowed_ + first), count * sizeof(Item));
    copying_.fetch_sub(1, std::memory_order_acq_rel);
    return wanted;
  }

  void keep_here(std::size_t item, stored_t<Result>&& result) {
    if constexpr (has_flat_results<Result>) {
      this->flat_[item] = result;
    } else {
      values_[item].emplace(std::move(result));
    }
  }

  // Each task has a fresh copy of the callable. Of one that can be neither copied
  // nor sent there's but one: a brood::local that all threads share.
  Result call(Item& given) {
    if constexpr (std::is_copy_constructible_v<F>) {
      F fresh(std::as_const(f_));
      return call_with(fresh, given);
    } else if constexpr (!wire::is_local_v<F>) {
      wire::Reader in({callable_.data(), callable_.size()});
      F fresh = wire::decode_callable<F>(in);
      return call_with(fresh, given);
    } else {
      return call_with(f_, given);
    }
  }

  static Result call_with(F& f, Item& given) {
    if constexpr (unpack == Unpack::yes) {
      return std::apply(
          [&](auto&... elements) -> Result { return invoke_own(f, std::move(elements)...); },
          given);
    } else {
      return invoke_own(f, std::move(given));
    }
  }

  F f_;
  wire::Buffer callable_;  // of one that can't be copied otherwise
  std::vector<Item> items_;
  const Item* borrowed_ = nullptr;
  std::atomic<std::size_t> copying_{0};  // threads that read there now
  std::vector<std::optional<stored_t<Result>>> values_;
};

}  // namespace brood::detail
