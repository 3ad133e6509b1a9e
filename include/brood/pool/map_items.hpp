// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstring>
#include <functional>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <brood/pool/typed_call.hpp>

// The items of a map: their types, their bytes, and what a worker does with them.
// `Item` is one element as it travels; with Unpack::yes (starmap) it's a tuple or
// pair whose elements are the arguments.
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

// Likewise their results, once they are in a vector of them. A bool has to be
// looked at first: what a worker left there may be neither true nor false.
template <typename Result>
consteval bool can_be_flat_results() {
  if constexpr (std::is_void_v<Result>) {
    return true;
  } else if constexpr (wire::is_flat_v<Result>) {
    return !wire::shape::holds_bool<Result> && std::is_default_constructible_v<Result>;
  } else {
    return false;
  }
}
template <typename Result>
inline constexpr bool has_flat_results = can_be_flat_results<Result>();

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
  // Elsewhere not even a type: a std::optional of a closure may make GCC forget
  // that the closure is trivially copyable.
  [[maybe_unused]] std::conditional_t<shares_callable<Items>, std::optional<Target>, Nothing>
      shared;
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

template <typename F, typename Item, Unpack unpack>
inline constinit WorkerCode map_code{&run_items<F, Item, unpack>, &wire::callable_label<F>};

}  // namespace brood::detail
