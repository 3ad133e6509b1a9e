// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <span>
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

  bool keep_passing(std::size_t item, std::span<const std::byte> value) override {
    if constexpr (!std::is_void_v<Result> && !has_flat_results<Result> &&
                  wire::is_copied_in_runs<Result>) {
      wire::Reader in(value);
      made_.push_back({item, wire::decode<Result>(in)});
      note_answer(value.size());
      return true;
    }
    return MapJob::keep_passing(item, value);
  }

  // The array that the items were borrowed from may go after this. Requires: it's ready.
  virtual void end_loan() noexcept {}

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
    for (Made& each : made_) values[each.item].emplace(std::move(each.value));
    if constexpr (!std::is_void_v<Result> && wire::Encodable<stored_t<Result>>) {  // else a local's
      for (const Chunk& chunk : chunks()) {
        wire::Reader in(chunk.bytes.view(), &chunk.bytes.enclosed);
        for (std::size_t i = 0; i < chunk.count; ++i) {
          in.align(16);
          values[chunk.first + i].emplace(wire::decode<Result>(in));
        }
      }
    }
    return values;
  }

 private:
  struct Made {
    std::size_t item;
    stored_t<Result> value;
  };

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

  std::vector<Made> made_;  // large ones, when they arrived

 protected:
  // Flat results lie here from the start.
  std::vector<std::conditional_t<has_flat_results<Result>, stored_t<Result>, char>> flat_;
};

}  // namespace brood::detail
