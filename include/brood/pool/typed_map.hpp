// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <brood/base/large_memory.hpp>
#include <brood/pool/map_items.hpp>
#include <brood/pool/outcome.hpp>
#include <brood/pool/value_job.hpp>
#include <brood/pool/work.hpp>

// A map with its types.
namespace brood::detail {

// What a map of calls leaves: a list of values, or with Errors::collect one
// Outcome an item.
template <typename Result, Errors errors>
using map_value_t =
    std::conditional_t<errors == Errors::collect, std::vector<Outcome<Result>>, list_t<Result>>;

template <typename Result, Errors errors>
class TypedMap : public MapJob, public ValueJob<map_value_t<Result, errors>> {
 public:
  explicit TypedMap(Core& core) noexcept : MapJob(core) {}
  ~TypedMap() override {
    if (this->has_value()) this->destroy_value();
  }

  void run_here(std::size_t, std::size_t, HereRun&) noexcept override { std::terminate(); }

  // After the number of items is known and before the job is submitted.
  void prepare_results() {
    if constexpr (std::is_void_v<Result>) {
      flat_results(nullptr, 0);
    } else if constexpr (has_flat_results<Result>) {
      flat_.reserve(item_count());
      expect_to_be_filled(flat_.data(), item_count() * sizeof(Result));
      flat_.resize(item_count());
      flat_results(reinterpret_cast<std::byte*>(flat_.data()), sizeof(Result));
    }
  }

 protected:
  void decode() override {
    if constexpr (errors == Errors::raise) {
      throw_first_failure();
      if constexpr (std::is_void_v<Result>) {
        this->set_value();
      } else if constexpr (has_flat_results<Result>) {
        this->set_value(std::move(flat_));
      } else {
        auto values = slots();
        list_t<Result> list;
        list.reserve(values.size());
        for (auto& value : values) list.push_back(std::move(*value));
        this->set_value(std::move(list));
      }
    } else {
      collect_outcomes();
    }
  }
  void run_callback() override { this->call_back(*this); }

  // One place an item, filled where there is a value.
  virtual std::vector<std::optional<stored_t<Result>>> slots() {
    std::vector<std::optional<stored_t<Result>>> values(item_count());
    if constexpr (!std::is_void_v<Result> && wire::Encodable<stored_t<Result>>) {  // else a local's
      for (const Chunk& chunk : chunks()) {
        wire::Reader in(chunk.bytes.view());
        for (std::size_t i = 0; i < chunk.count; ++i) {
          in.align(16);
          values[chunk.first + i].emplace(wire::decode<Result>(in));
        }
      }
    }
    return values;
  }

 private:
  void throw_first_failure() const {
    const auto& all = failures();
    const auto first = std::min_element(
        all.begin(), all.end(),
        [](const ItemFailure& a, const ItemFailure& b) { return a.item < b.item; });
    if (first != all.end()) std::rethrow_exception(first->failure.open());
  }

  void collect_outcomes() {
    std::vector<std::exception_ptr> why(item_count());
    for (const ItemFailure& each : failures()) why[each.item] = each.failure.open();
    std::vector<brood::Outcome<Result>> outcomes;
    outcomes.reserve(item_count());
    if constexpr (std::is_void_v<Result>) {
      for (auto& error : why) outcomes.emplace_back(std::move(error));
    } else if constexpr (has_flat_results<Result>) {
      for (std::size_t i = 0; i < why.size(); ++i) {
        if (why[i]) {
          outcomes.emplace_back(std::move(why[i]));
        } else {
          outcomes.emplace_back(std::move(flat_[i]));
        }
      }
    } else {
      auto values = slots();
      for (std::size_t i = 0; i < why.size(); ++i) {
        if (why[i]) {
          outcomes.emplace_back(std::move(why[i]));
        } else {
          outcomes.emplace_back(std::move(*values[i]));
        }
      }
    }
    this->set_value(std::move(outcomes));
  }

 protected:
  // Flat results lie here from the start.
  std::vector<std::conditional_t<has_flat_results<Result>, stored_t<Result>, char>> flat_;
};

// A map that threads of this program run: nothing is encoded. Where values are
// flat they go to their place at once, otherwise into slots.
template <typename F, typename Item, Unpack unpack, Errors errors>
class HereMap final : public TypedMap<item_result_t<F, Item, unpack>, errors> {
  using Result = item_result_t<F, Item, unpack>;

 public:
  template <typename Function>
  HereMap(Core& core, Function&& f, std::vector<Item> items)
      : TypedMap<Result, errors>(core), f_(std::forward<Function>(f)), items_(std::move(items)) {
    this->set_item_count(items_.size());
    if constexpr (!std::is_copy_constructible_v<F> && !wire::is_local_v<F>) {
      wire::encode_callable<F>(callable_, f_);
    }
    if constexpr (!has_flat_results<Result>) values_.resize(items_.size());
  }

  void run_here(std::size_t first, std::size_t count, HereRun& run) noexcept override {
    const std::size_t end = first + count;
    while (first < end) {
      const std::size_t many = run.begin_items(first, end - first);
      if (many == 0) return;
      first = many == 1 ? run_one(first, run) : run_some(first, first + many, run);
    }
  }

 protected:
  std::vector<std::optional<stored_t<Result>>> slots() override { return std::move(values_); }

 private:
  // Returns the item that is next.
  std::size_t run_one(std::size_t item, HereRun& run) noexcept {
    try {
      if constexpr (std::is_void_v<Result>) {
        call(item);
        if (run.end_items()) run.kept(1);
      } else {
        Result result = call(item);
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

  // Nobody else settles one of these: values go to their places at once. Few at a time,
  // between two looks whether they are still wanted.
  std::size_t run_some(std::size_t item, std::size_t end, HereRun& run) noexcept {
    // A loop of calls that are inlined is faster without.
    constexpr std::size_t few = std::is_class_v<F> ? 32 : 1;
    const std::size_t first = item;
    std::exception_ptr thrown;
    run.follow(&item);
    try {
      while (item < end && !this->ready()) run_few(item, std::min(item + few, end));
    } catch (...) {
      thrown = std::current_exception();
    }
    run.follow(nullptr);
    if (!run.end_items()) return end;
    run.kept(item - first);
    if (thrown) run.failed(item++, std::move(thrown));
    return item;
  }

  // `item` is where it's at, and whence this_task knows its index.
  void run_few(std::size_t& item, std::size_t end) {
    if constexpr (std::is_void_v<Result>) {
      for (; item < end; ++item) call(item);
    } else {
      for (; item < end; ++item) keep_here(item, call(item));
    }
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
  Result call(std::size_t item) {
    if constexpr (std::is_copy_constructible_v<F>) {
      F fresh(std::as_const(f_));
      return call_with(fresh, item);
    } else if constexpr (!wire::is_local_v<F>) {
      wire::Reader in({callable_.data(), callable_.size()});
      F fresh = wire::decode_callable<F>(in);
      return call_with(fresh, item);
    } else {
      return call_with(f_, item);
    }
  }

  Result call_with(F& f, std::size_t item) {
    if constexpr (unpack == Unpack::yes) {
      return std::apply(
          [&](auto&... elements) -> Result { return invoke_own(f, std::move(elements)...); },
          items_[item]);
    } else {
      return invoke_own(f, std::move(items_[item]));
    }
  }

  F f_;
  wire::Buffer callable_;  // of one that can't be copied otherwise
  std::vector<Item> items_;
  std::vector<std::optional<stored_t<Result>>> values_;
};

}  // namespace brood::detail
