// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <ranges>
#include <type_traits>
#include <utility>

#include <brood/pool/map_face.hpp>

namespace brood::detail {

// Maps over tuples, pairs or a std::map's pairs, which become the arguments.
class StarmapFace : public MapFace {
 public:
  // map, with each element's parts as the arguments of one call.
  template <Callable F, std::ranges::input_range Range>
  auto starmap(F&& f, Range&& items, Count chunk_size = {}) {
    using Item = star_item_t<Range>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::yes>::check()) {
      return run_map<Item, Unpack::yes, Errors::raise>(
          {.chunksize = chunk_size}, std::forward<F>(f), std::forward<Range>(items));
    }
  }

  template <Known F>
  auto starmap(F&& f, std::initializer_list<star_parameters_t<F>> items, Count chunk_size = {}) {
    using Item = star_parameters_t<F>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::yes>::check()) {
      return run_map<Item, Unpack::yes, Errors::raise>({.chunksize = chunk_size},
                                                       std::forward<F>(f), items);
    }
  }

  template <typename F, typename Element>
    requires(!Known<F>)
  auto starmap(F&& f, std::initializer_list<Element> items, Count chunk_size = {}) {
    using Item = star_item_t<std::initializer_list<Element>>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::yes>::check()) {
      return run_map<Item, Unpack::yes, Errors::raise>({.chunksize = chunk_size},
                                                       std::forward<F>(f), items);
    }
  }

  template <Callable F, std::ranges::input_range Range>
  auto starmap(const MapOptionsFor<F, star_item_t<Range>, Unpack::yes>& options, F&& f,
               Range&& items) {
    using Item = star_item_t<Range>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::yes>::check()) {
      return run_map<Item, Unpack::yes, Errors::raise>(options, std::forward<F>(f),
                                                       std::forward<Range>(items));
    }
  }

  template <Known F>
  auto starmap(const MapOptionsFor<F, star_parameters_t<F>, Unpack::yes>& options, F&& f,
               std::initializer_list<star_parameters_t<F>> items) {
    using Item = star_parameters_t<F>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::yes>::check()) {
      return run_map<Item, Unpack::yes, Errors::raise>(options, std::forward<F>(f), items);
    }
  }

  template <typename F, typename Element>
    requires(!Known<F>)
  auto starmap(
      const MapOptionsFor<F, star_item_t<std::initializer_list<Element>>, Unpack::yes>& options,
      F&& f, std::initializer_list<Element> items) {
    using Item = star_item_t<std::initializer_list<Element>>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::yes>::check()) {
      return run_map<Item, Unpack::yes, Errors::raise>(options, std::forward<F>(f), items);
    }
  }

  // map_async likewise.
  template <Callable F, std::ranges::input_range Range>
  auto starmap_async(F&& f, Range&& items, Count chunk_size = {}) {
    using Item = star_item_t<Range>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::yes>::check()) {
      return start_map<Item, Unpack::yes, Errors::raise>(
          {.chunksize = chunk_size}, std::forward<F>(f), std::forward<Range>(items), Lending::copy);
    }
  }

  template <Known F>
  auto starmap_async(F&& f, std::initializer_list<star_parameters_t<F>> items,
                     Count chunk_size = {}) {
    using Item = star_parameters_t<F>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::yes>::check()) {
      return start_map<Item, Unpack::yes, Errors::raise>({.chunksize = chunk_size},
                                                         std::forward<F>(f), items, Lending::copy);
    }
  }

  template <typename F, typename Element>
    requires(!Known<F>)
  auto starmap_async(F&& f, std::initializer_list<Element> items, Count chunk_size = {}) {
    using Item = star_item_t<std::initializer_list<Element>>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::yes>::check()) {
      return start_map<Item, Unpack::yes, Errors::raise>({.chunksize = chunk_size},
                                                         std::forward<F>(f), items, Lending::copy);
    }
  }

  template <Callable F, std::ranges::input_range Range>
  auto starmap_async(const MapOptionsFor<F, star_item_t<Range>, Unpack::yes>& options, F&& f,
                     Range&& items) {
    using Item = star_item_t<Range>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::yes>::check()) {
      return start_map<Item, Unpack::yes, Errors::raise>(options, std::forward<F>(f),
                                                         std::forward<Range>(items), Lending::copy);
    }
  }

  template <Known F>
  auto starmap_async(const MapOptionsFor<F, star_parameters_t<F>, Unpack::yes>& options, F&& f,
                     std::initializer_list<star_parameters_t<F>> items) {
    using Item = star_parameters_t<F>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::yes>::check()) {
      return start_map<Item, Unpack::yes, Errors::raise>(options, std::forward<F>(f), items,
                                                         Lending::copy);
    }
  }

  template <typename F, typename Element>
    requires(!Known<F>)
  auto starmap_async(
      const MapOptionsFor<F, star_item_t<std::initializer_list<Element>>, Unpack::yes>& options,
      F&& f, std::initializer_list<Element> items) {
    using Item = star_item_t<std::initializer_list<Element>>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::yes>::check()) {
      return start_map<Item, Unpack::yes, Errors::raise>(options, std::forward<F>(f), items,
                                                         Lending::copy);
    }
  }

 protected:
  using MapFace::MapFace;
};

}  // namespace brood::detail
