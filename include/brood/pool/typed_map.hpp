// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <optional>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <brood/pool/outcome.hpp>
#include <brood/pool/typed_call.hpp>
#include <brood/pool/value_job.hpp>
#include <brood/pool/work.hpp>

// A map with its types. `Item` is one element as it travels; with Unpack::yes
// (starmap) it's a tuple or pair whose elements are the arguments.
namespace brood::detail {

enum class Unpack { no, yes };

template <typename F, typename Item, Unpack unpack>
struct ItemTypes {
  static constexpr std::size_t arguments = 1;
  using Types = CallTypes<F, Item>;
};

template <typename F, template <typename...> typename Tuple, typename... Elements>
struct ItemTypes<F, Tuple<Elements...>, Unpack::yes> {
  static constexpr std::size_t arguments = sizeof...(Elements);
  using Types = CallTypes<F, std::remove_const_t<Elements>...>;
};

template <typename F, typename Item, Unpack unpack>
using item_result_t = typename ItemTypes<F, Item, unpack>::Types::Result;

// Items that lie in one array, as many bytes each, with nothing between.
template <typename Item, Unpack unpack>
inline constexpr bool has_flat_items = unpack == Unpack::no && wire::is_flat_v<Item>;

// Likewise their results, once they are in a vector of them.
template <typename Result>
inline constexpr bool has_flat_results =
    std::is_void_v<Result> ||
    (wire::is_flat_v<Result> && !std::is_same_v<Result, bool> &&
     std::is_default_constructible_v<std::conditional_t<std::is_void_v<Result>, int, Result>>);

template <typename Item, Unpack unpack>
void encode_item(wire::Writer& out, const Item& item) {
  if constexpr (unpack == Unpack::yes) {
    std::apply(
        [&](const auto&... elements) {
          (wire::encode<std::remove_cvref_t<decltype(elements)>>(out, elements), ...);
        },
        item);
  } else {
    wire::encode<Item>(out, item);
  }
}

// A callable without a state serves for all items of a piece; any other is made
// afresh for each.
template <typename Items>
inline constexpr bool shares_callable =
    Items::Types::Call::as == wire::detail::CallAs::shared &&
    Items::Types::Values::size == Items::arguments &&
    (wire::callable_kind_v<typename Items::Types::Target> == wire::CallableKind::function ||
     wire::callable_kind_v<typename Items::Types::Target> == wire::CallableKind::empty);

// Numbers in, numbers out: no decoding, no encoding. A bool among the items would
// have to be looked at first.
template <typename Items, typename Item, Unpack unpack>
inline constexpr bool runs_flat =
    shares_callable<Items> && has_flat_items<Item, unpack> && std::is_arithmetic_v<Item> &&
    !std::is_same_v<Item, bool> && !std::is_void_v<typename Items::Types::Result> &&
    has_flat_results<typename Items::Types::Result>;

template <typename Result, typename Call>
void run_item(Execution& x, Call&& call) {
  x.calling();
  if constexpr (std::is_void_v<Result>) {
    call();
    x.encoding();
  } else {
    const Result result = call();
    x.encoding(has_flat_results<Result> ? 1 : 16);
    wire::encode(x.answer(), result);
  }
  x.end_item();
}

// What a worker runs for a piece of a map.
template <typename F, typename Item, Unpack unpack>
void run_items(Execution& x) {
  using Items = ItemTypes<F, Item, unpack>;
  using Types = typename Items::Types;
  using Target = typename Types::Target;
  using Result = typename Types::Result;
  if constexpr (runs_flat<Items, Item, unpack>) {
    wire::Reader callable(x.callable());
    const Target target = wire::decode_callable<Target>(callable);
    const auto* const items = reinterpret_cast<const Item*>(x.item_bytes().data());
    const auto step = [&](std::size_t i, std::byte* to) {
      const Result result = std::invoke(target, Item(items[i]));
      std::memcpy(to, &result, sizeof result);
    };
    if (x.item_bytes().size() == x.count() * sizeof(Item) && x.run_flat(sizeof(Result), step)) {
      return;
    }
  }
  [[maybe_unused]] wire::Reader once(x.callable());
  [[maybe_unused]] std::optional<Target> shared;
  while (x.begin_item()) {
    if constexpr (!has_flat_items<Item, unpack>) x.items().align(16);
    if constexpr (shares_callable<Items>) {
      if (!shared) shared.emplace(wire::decode_callable<Target>(once));
      SharedCall<typename Types::Call, Target, typename Types::Values> call(*shared, x.items());
      run_item<Result>(x, call);
    } else {
      wire::Reader callable(x.callable());
      DecodedCall<typename Types::Call, Target, typename Types::Values, Items::arguments> call(
          callable, x.items());
      run_item<Result>(x, call);
    }
  }
}

// What a map of calls leaves: a list of values, or with Errors::collect one
// Outcome an item.
template <typename Result, Errors errors>
using map_value_t =
    std::conditional_t<errors == Errors::collect, std::vector<Outcome<Result>>, list_t<Result>>;

template <typename Result, Errors errors>
class TypedMap : public MapJob, public ValueJob<map_value_t<Result, errors>> {
 public:
  explicit TypedMap(Core& core) noexcept
      : MapJob(core), ValueJob<map_value_t<Result, errors>>(job()) {}

  void run_here(std::size_t, std::size_t, HereRun&) noexcept override { std::terminate(); }

  // After the number of items is known and before the job is submitted.
  void prepare_results() {
    if constexpr (std::is_void_v<Result>) {
      flat_results(nullptr, 0);
    } else if constexpr (has_flat_results<Result>) {
      flat_.resize(item_count());
      flat_results(reinterpret_cast<std::byte*>(flat_.data()), sizeof(Result));
    }
  }

 protected:
  void decode() override {
    if constexpr (errors == Errors::raise) {
      throw_first_failure();
      if constexpr (std::is_void_v<Result>) {
        this->value_.emplace();
      } else if constexpr (has_flat_results<Result>) {
        this->value_.emplace(std::move(flat_));
      } else {
        auto values = slots();
        list_t<Result> list;
        list.reserve(values.size());
        for (auto& value : values) list.push_back(std::move(*value));
        this->value_.emplace(std::move(list));
      }
    } else {
      collect_outcomes();
    }
  }
  void run_callback() override { this->call_back(); }

  // One place an item, filled where there is a value.
  virtual std::vector<std::optional<stored_t<Result>>> slots() {
    std::vector<std::optional<stored_t<Result>>> values(item_count());
    if constexpr (!std::is_void_v<Result>) {
      for (const Chunk& chunk : chunks()) {
        wire::Reader in({chunk.bytes.get(), chunk.size});
        for (std::size_t i = 0; i < chunk.count; ++i) {
          in.align(16);
          values[chunk.first + i].emplace(wire::decode<Result>(in));
        }
      }
    }
    return values;
  }

 private:
  Job& job() noexcept { return *this; }

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
    this->value_.emplace(std::move(outcomes));
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
    if constexpr (!has_flat_results<Result>) values_.resize(items_.size());
  }

  void run_here(std::size_t first, std::size_t count, HereRun& run) noexcept override {
    for (std::size_t item = first; item < first + count; ++item) {
      if (!run.begin_item(item)) return;
      try {
        if constexpr (std::is_void_v<Result>) {
          call(item);
          if (!run.end_item()) return;
        } else {
          Result result = call(item);
          if (!run.end_item()) return;
          if constexpr (has_flat_results<Result>) {
            this->flat_[item] = result;
          } else {
            values_[item].emplace(std::move(result));
          }
        }
        run.kept(item);
      } catch (...) {
        if (!run.end_item()) return;
        run.failed(item, std::current_exception());
      }
    }
  }

 protected:
  std::vector<std::optional<stored_t<Result>>> slots() override { return std::move(values_); }

 private:
  // Each task has a fresh copy of the callable, where there can be one.
  Result call(std::size_t item) {
    if constexpr (std::is_copy_constructible_v<F>) {
      F fresh(f_);
      return call_with(fresh, item);
    } else {
      return call_with(f_, item);
    }
  }

  Result call_with(F& f, std::size_t item) {
    if constexpr (unpack == Unpack::yes) {
      return std::apply(
          [&](auto&... elements) -> Result { return std::invoke(f, std::move(elements)...); },
          items_[item]);
    } else {
      return std::invoke(f, std::move(items_[item]));
    }
  }

  F f_;
  std::vector<Item> items_;
  std::vector<std::optional<stored_t<Result>>> values_;
};

// Where the items of a map come from, and whether they may be left there.
enum class Lending {
  borrow,  // the caller waits for the map, so its array stays
  copy,
};

template <typename Range, typename Item>
inline constexpr bool is_array_of =
    std::ranges::contiguous_range<Range> && std::ranges::sized_range<Range> &&
    std::is_same_v<std::ranges::range_value_t<Range>, Item>;

// The value that travels of one element: moved out of an rvalue range.
template <typename Item, typename Range, typename Reference>
Item item_of(Reference&& element) {
  if constexpr (!std::is_lvalue_reference_v<Range> && !std::ranges::view<std::remove_cvref_t<Range>> &&
                std::is_constructible_v<Item, std::remove_cvref_t<Reference>&&>) {
    return Item(std::move(element));
  } else if constexpr (std::is_constructible_v<Item, Reference>) {
    return Item(std::forward<Reference>(element));
  } else {
    return Item(wire::to_transport(std::forward<Reference>(element)));
  }
}

template <typename Item, Unpack unpack, typename Range>
void encode_items(MapJob& job, Range&& range, Lending lending) {
  wire::Buffer bytes;
  if constexpr (has_flat_items<Item, unpack>) {
    if constexpr (is_array_of<Range, Item>) {
      const auto* const begin = reinterpret_cast<const std::byte*>(std::ranges::data(range));
      const std::size_t count = std::ranges::size(range);
      if (lending == Lending::borrow) return job.borrow_items({begin, sizeof(Item)}, count);
      bytes.write(begin, count * sizeof(Item));
      return job.own_flat_items(std::move(bytes), sizeof(Item), count);
    } else {
      std::size_t count = 0;
      for (auto&& element : range) {
        wire::encode<Item>(bytes, static_cast<Item>(element));
        ++count;
      }
      return job.own_flat_items(std::move(bytes), sizeof(Item), count);
    }
  } else {
    std::vector<std::size_t> offsets;
    for (auto&& element : range) {
      bytes.align(16);
      offsets.push_back(bytes.size());
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(element)>, Item>) {
        encode_item<Item, unpack>(bytes, element);
      } else {
        const Item item = item_of<Item, Range>(std::forward<decltype(element)>(element));
        encode_item<Item, unpack>(bytes, item);
      }
    }
    bytes.align(16);
    offsets.push_back(bytes.size());
    job.own_items(std::move(bytes), std::move(offsets));
  }
}

// Makes the job of a map, for whatever kind of pool.
// Throws: ShipError when a capture can't travel, and what the range throws.
template <typename Item, Unpack unpack, Errors errors, typename F, typename Range>
auto make_map(Core& core, F&& f, Range&& range, Lending lending) {
  using Callable = std::decay_t<F>;
  using Result = item_result_t<Callable, Item, unpack>;
  using Map = TypedMap<Result, errors>;
  JobRef<Map> job;
  if (core.runs_here()) {
    std::vector<Item> items;
    for (auto&& element : range) {
      if constexpr (std::is_lvalue_reference_v<Range> && !std::is_copy_constructible_v<Item>) {
        // The caller keeps his; a copy can be had through bytes.
        wire::Buffer& bytes = scratch();
        wire::encode<Item>(bytes, element);
        wire::Reader in({bytes.data(), bytes.size()});
        items.push_back(wire::decode<Item>(in));
      } else {
        items.push_back(item_of<Item, Range>(std::forward<decltype(element)>(element)));
      }
    }
    job = JobRef<Map>::adopt(new HereMap<Callable, Item, unpack, errors>(
        core, std::forward<F>(f), std::move(items)));
  } else if constexpr (wire::is_local_v<F>) {
    wire::detail::throw_local();
  } else {
    job = JobRef<Map>::adopt(new Map(core));
    wire::Buffer& callable = scratch();
    wire::encode_callable<Callable>(callable, f);
    job->set_callable(&run_items<Callable, Item, unpack>, {callable.data(), callable.size()});
    encode_items<Item, unpack>(*job, std::forward<Range>(range), lending);
  }
  job->prepare_results();
  return job;
}

}  // namespace brood::detail
