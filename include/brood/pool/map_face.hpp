// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <ranges>
#include <type_traits>
#include <utility>

#include <brood/pool/pool_base.hpp>

namespace brood::detail {

// The maps of a Pool. Each takes any finite range or a braced list, whose elements
// are of the callable's first parameter's type where that is known; a chunk size
// last, or options first.
class MapFace : public PoolBase {
 public:
  // Calls f with each item, and returns the values in the order of the items; of
  // a void f nothing.
  // Throws: the first failing item's error, in the order of the items, after all
  // others have ended. Blocks: until then.
  template <Callable F, std::ranges::input_range Range>
  auto map(F&& f, Range&& items, Count chunk_size = {}) {
    using Item = item_t<Range>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::no>::check()) {
      return run_map<Item, Unpack::no, Errors::raise>({.chunksize = chunk_size}, std::forward<F>(f),
                                                      std::forward<Range>(items));
    }
  }

  template <Known F>
  auto map(F&& f, std::initializer_list<wire::first_parameter_t<F>> items, Count chunk_size = {}) {
    using Item = wire::first_parameter_t<F>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::no>::check()) {
      return run_map<Item, Unpack::no, Errors::raise>({.chunksize = chunk_size}, std::forward<F>(f),
                                                      items);
    }
  }

  template <typename F, typename Element>
    requires(!Known<F>)
  auto map(F&& f, std::initializer_list<Element> items, Count chunk_size = {}) {
    using Item = item_t<std::initializer_list<Element>>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::no>::check()) {
      return run_map<Item, Unpack::no, Errors::raise>({.chunksize = chunk_size}, std::forward<F>(f),
                                                      items);
    }
  }

  template <Callable F, std::ranges::input_range Range>
  auto map(const MapOptionsFor<F, item_t<Range>, Unpack::no>& options, F&& f, Range&& items) {
    using Item = item_t<Range>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::no>::check()) {
      return run_map<Item, Unpack::no, Errors::raise>(options, std::forward<F>(f),
                                                      std::forward<Range>(items));
    }
  }

  template <Known F>
  auto map(const MapOptionsFor<F, wire::first_parameter_t<F>, Unpack::no>& options, F&& f,
           std::initializer_list<wire::first_parameter_t<F>> items) {
    using Item = wire::first_parameter_t<F>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::no>::check()) {
      return run_map<Item, Unpack::no, Errors::raise>(options, std::forward<F>(f), items);
    }
  }

  template <typename F, typename Element>
    requires(!Known<F>)
  auto map(const MapOptionsFor<F, item_t<std::initializer_list<Element>>, Unpack::no>& options,
           F&& f, std::initializer_list<Element> items) {
    using Item = item_t<std::initializer_list<Element>>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::no>::check()) {
      return run_map<Item, Unpack::no, Errors::raise>(options, std::forward<F>(f), items);
    }
  }

  // The same without waiting: the items are encoded before it returns.
  template <Callable F, std::ranges::input_range Range>
  auto map_async(F&& f, Range&& items, Count chunk_size = {}) {
    using Item = item_t<Range>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::no>::check()) {
      return start_map<Item, Unpack::no, Errors::raise>(
          {.chunksize = chunk_size}, std::forward<F>(f), std::forward<Range>(items), Lending::copy);
    }
  }

  template <Known F>
  auto map_async(F&& f, std::initializer_list<wire::first_parameter_t<F>> items,
                 Count chunk_size = {}) {
    using Item = wire::first_parameter_t<F>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::no>::check()) {
      return start_map<Item, Unpack::no, Errors::raise>({.chunksize = chunk_size},
                                                        std::forward<F>(f), items, Lending::copy);
    }
  }

  template <typename F, typename Element>
    requires(!Known<F>)
  auto map_async(F&& f, std::initializer_list<Element> items, Count chunk_size = {}) {
    using Item = item_t<std::initializer_list<Element>>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::no>::check()) {
      return start_map<Item, Unpack::no, Errors::raise>({.chunksize = chunk_size},
                                                        std::forward<F>(f), items, Lending::copy);
    }
  }

  template <Callable F, std::ranges::input_range Range>
  auto map_async(const MapOptionsFor<F, item_t<Range>, Unpack::no>& options, F&& f, Range&& items) {
    using Item = item_t<Range>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::no>::check()) {
      return start_map<Item, Unpack::no, Errors::raise>(options, std::forward<F>(f),
                                                        std::forward<Range>(items), Lending::copy);
    }
  }

  template <Known F>
  auto map_async(const MapOptionsFor<F, wire::first_parameter_t<F>, Unpack::no>& options, F&& f,
                 std::initializer_list<wire::first_parameter_t<F>> items) {
    using Item = wire::first_parameter_t<F>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::no>::check()) {
      return start_map<Item, Unpack::no, Errors::raise>(options, std::forward<F>(f), items,
                                                        Lending::copy);
    }
  }

  template <typename F, typename Element>
    requires(!Known<F>)
  auto map_async(
      const MapOptionsFor<F, item_t<std::initializer_list<Element>>, Unpack::no>& options, F&& f,
      std::initializer_list<Element> items) {
    using Item = item_t<std::initializer_list<Element>>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::no>::check()) {
      return start_map<Item, Unpack::no, Errors::raise>(options, std::forward<F>(f), items,
                                                        Lending::copy);
    }
  }

  // The same as map, but of each item its value or its error.
  template <Callable F, std::ranges::input_range Range>
  auto map_outcomes(F&& f, Range&& items, Count chunk_size = {}) {
    using Item = item_t<Range>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::no>::check()) {
      return run_map<Item, Unpack::no, Errors::collect>(
          {.chunksize = chunk_size}, std::forward<F>(f), std::forward<Range>(items));
    }
  }

  template <Known F>
  auto map_outcomes(F&& f, std::initializer_list<wire::first_parameter_t<F>> items,
                    Count chunk_size = {}) {
    using Item = wire::first_parameter_t<F>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::no>::check()) {
      return run_map<Item, Unpack::no, Errors::collect>({.chunksize = chunk_size},
                                                        std::forward<F>(f), items);
    }
  }

  template <typename F, typename Element>
    requires(!Known<F>)
  auto map_outcomes(F&& f, std::initializer_list<Element> items, Count chunk_size = {}) {
    using Item = item_t<std::initializer_list<Element>>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::no>::check()) {
      return run_map<Item, Unpack::no, Errors::collect>({.chunksize = chunk_size},
                                                        std::forward<F>(f), items);
    }
  }

  template <Callable F, std::ranges::input_range Range>
  auto map_outcomes(const MapOptionsFor<F, item_t<Range>, Unpack::no>& options, F&& f,
                    Range&& items) {
    using Item = item_t<Range>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::no>::check()) {
      return run_map<Item, Unpack::no, Errors::collect>(options, std::forward<F>(f),
                                                        std::forward<Range>(items));
    }
  }

  template <Known F>
  auto map_outcomes(const MapOptionsFor<F, wire::first_parameter_t<F>, Unpack::no>& options, F&& f,
                    std::initializer_list<wire::first_parameter_t<F>> items) {
    using Item = wire::first_parameter_t<F>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::no>::check()) {
      return run_map<Item, Unpack::no, Errors::collect>(options, std::forward<F>(f), items);
    }
  }

  template <typename F, typename Element>
    requires(!Known<F>)
  auto map_outcomes(
      const MapOptionsFor<F, item_t<std::initializer_list<Element>>, Unpack::no>& options, F&& f,
      std::initializer_list<Element> items) {
    using Item = item_t<std::initializer_list<Element>>;
    if constexpr (RequireItem<std::decay_t<F>, Item, Unpack::no>::check()) {
      return run_map<Item, Unpack::no, Errors::collect>(options, std::forward<F>(f), items);
    }
  }

 protected:
  using PoolBase::PoolBase;
};

}  // namespace brood::detail
