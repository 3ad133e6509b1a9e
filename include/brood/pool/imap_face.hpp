// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <memory>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

#include <brood/pool/imap.hpp>
#include <brood/pool/imap_feed.hpp>
#include <brood/pool/starmap_face.hpp>

namespace brood::detail {

template <typename F, typename Item>
struct RequireImap {
  static consteval bool check() {
    if constexpr (!RequireItem<F, Item, Unpack::no>::check()) {
      return false;
    } else {
      constexpr bool gives = !std::is_void_v<item_result_t<F, Item, Unpack::no>>;
      static_assert(gives,
                    "brood: imap of a function that returns nothing has nothing to iterate over; "
                    "use map, or return a value");
      return gives;
    }
  }
};

// The lazy maps of a Pool. See Imap for what they return. An lvalue range is
// referred to and must outlive the result; an rvalue one is held.
class ImapFace : public StarmapFace {
 public:
  // Results in the order of the items.
  template <Callable F, std::ranges::input_range Range>
  auto imap(F&& f, Range&& items, Count chunk_size = {}) {
    return lazy<Order::as_given, Range>({.chunksize = chunk_size}, std::forward<F>(f),
                                        std::forward<Range>(items));
  }
  template <Known F>
  auto imap(F&& f, std::initializer_list<listed_t<F>> items, Count chunk_size = {}) {
    return lazy<Order::as_given, std::vector<listed_t<F>>>(
        {.chunksize = chunk_size}, std::forward<F>(f), std::vector<listed_t<F>>(items));
  }
  template <typename F, typename Element>
    requires(!Known<F>)
  auto imap(F&& f, std::initializer_list<Element> items, Count chunk_size = {}) {
    return lazy<Order::as_given, std::vector<Element>>(
        {.chunksize = chunk_size}, std::forward<F>(f), std::vector<Element>(items));
  }
  template <Callable F, std::ranges::input_range Range>
  auto imap(const MapOptionsFor<F, item_t<Range>, Unpack::no>& options, F&& f, Range&& items) {
    return lazy<Order::as_given, Range>(options, std::forward<F>(f), std::forward<Range>(items));
  }
  template <Known F>
  auto imap(const MapOptionsFor<F, listed_t<F>, Unpack::no>& options, F&& f,
            std::initializer_list<listed_t<F>> items) {
    return lazy<Order::as_given, std::vector<listed_t<F>>>(options, std::forward<F>(f),
                                                           std::vector<listed_t<F>>(items));
  }
  template <typename F, typename Element>
    requires(!Known<F>)
  auto imap(const MapOptionsFor<F, item_t<std::initializer_list<Element>>, Unpack::no>& options,
            F&& f, std::initializer_list<Element> items) {
    return lazy<Order::as_given, std::vector<Element>>(options, std::forward<F>(f),
                                                       std::vector<Element>(items));
  }
  template <typename... Given>
    requires NoMapCall<Given...>
  auto imap(Given&&...) {
    refuse_map_call<Given...>();
    return NoResults();
  }
  template <Known F, Misfit<listed_t<F>> Element>
  auto imap(F&&, std::initializer_list<Element>, Count = {}) {
    refuse_list<Element, listed_t<F>>();
    return NoResults();
  }
  template <typename F>
    requires(!Known<F>)
  auto imap(F&&, EmptyBraces) {
    refuse_empty_list<F>();
    return NoResults();
  }

  // Results as they come.
  template <Callable F, std::ranges::input_range Range>
  auto imap_unordered(F&& f, Range&& items, Count chunk_size = {}) {
    return lazy<Order::as_completed, Range>({.chunksize = chunk_size}, std::forward<F>(f),
                                            std::forward<Range>(items));
  }
  template <Known F>
  auto imap_unordered(F&& f, std::initializer_list<listed_t<F>> items, Count chunk_size = {}) {
    return lazy<Order::as_completed, std::vector<listed_t<F>>>(
        {.chunksize = chunk_size}, std::forward<F>(f), std::vector<listed_t<F>>(items));
  }
  template <typename F, typename Element>
    requires(!Known<F>)
  auto imap_unordered(F&& f, std::initializer_list<Element> items, Count chunk_size = {}) {
    return lazy<Order::as_completed, std::vector<Element>>(
        {.chunksize = chunk_size}, std::forward<F>(f), std::vector<Element>(items));
  }
  template <Callable F, std::ranges::input_range Range>
  auto imap_unordered(const MapOptionsFor<F, item_t<Range>, Unpack::no>& options, F&& f,
                      Range&& items) {
    return lazy<Order::as_completed, Range>(options, std::forward<F>(f),
                                            std::forward<Range>(items));
  }
  template <Known F>
  auto imap_unordered(const MapOptionsFor<F, listed_t<F>, Unpack::no>& options, F&& f,
                      std::initializer_list<listed_t<F>> items) {
    return lazy<Order::as_completed, std::vector<listed_t<F>>>(options, std::forward<F>(f),
                                                               std::vector<listed_t<F>>(items));
  }
  template <typename F, typename Element>
    requires(!Known<F>)
  auto imap_unordered(
      const MapOptionsFor<F, item_t<std::initializer_list<Element>>, Unpack::no>& options, F&& f,
      std::initializer_list<Element> items) {
    return lazy<Order::as_completed, std::vector<Element>>(options, std::forward<F>(f),
                                                           std::vector<Element>(items));
  }
  template <typename... Given>
    requires NoMapCall<Given...>
  auto imap_unordered(Given&&...) {
    refuse_map_call<Given...>();
    return NoResults();
  }
  template <Known F, Misfit<listed_t<F>> Element>
  auto imap_unordered(F&&, std::initializer_list<Element>, Count = {}) {
    refuse_list<Element, listed_t<F>>();
    return NoResults();
  }
  template <typename F>
    requires(!Known<F>)
  auto imap_unordered(F&&, EmptyBraces) {
    refuse_empty_list<F>();
    return NoResults();
  }

 protected:
  using StarmapFace::StarmapFace;

 private:
  template <Order order, typename Range, typename F>
  auto lazy(const MapOptionsFor<F, item_t<Range>, Unpack::no>& options, F&& f, Range&& items) {
    using Target = std::decay_t<F>;
    if constexpr (RequireImap<Target, item_t<Range>>::check()) {
      if (options.callback || options.error_callback) throw_callback_of_imap();
      if (options.errors == Errors::collect) throw_collect_in_map();
      using Feed = ImapFeed<Target, item_t<Range>, Unpack::no, Range, order>;
      using Result = item_result_t<Target, item_t<Range>, Unpack::no>;
      return Imap<Result, Feed>(
          std::make_unique<Feed>(core(), std::forward<F>(f), std::forward<Range>(items), options));
    } else {
      return NoResults();
    }
  }
};

}  // namespace brood::detail
