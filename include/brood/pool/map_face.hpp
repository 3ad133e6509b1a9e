// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <ranges>
#include <utility>

#include <brood/pool/pool_base.hpp>

namespace brood::detail {

// The maps of a Pool. Each takes any finite range or a braced list, whose elements
// are of the callable's first parameter's type where that is known; a chunk size
// last, or options first. The last overloads of each refuse what is no map.
class MapFace : public PoolBase {
 public:
  // Calls f with each item, and returns the values in the order of the items; of
  // a void f nothing.
  // Throws: the first failing item's error, in the order of the items, after all
  // others have ended. Blocks: until then.
  template <Callable F, std::ranges::input_range Range>
  auto map(F&& f, Range&& items, Count chunk_size = {}) {
    return run_map<item_t<Range>, Unpack::no, Errors::raise>(
        {.chunksize = chunk_size}, std::forward<F>(f), std::forward<Range>(items));
  }
  template <Known F>
  auto map(F&& f, std::initializer_list<listed_t<F>> items, Count chunk_size = {}) {
    return run_map<listed_t<F>, Unpack::no, Errors::raise>({.chunksize = chunk_size},
                                                           std::forward<F>(f), items);
  }
  template <typename F, typename Element>
    requires(!Known<F>)
  auto map(F&& f, std::initializer_list<Element> items, Count chunk_size = {}) {
    return run_map<item_t<std::initializer_list<Element>>, Unpack::no, Errors::raise>(
        {.chunksize = chunk_size}, std::forward<F>(f), items);
  }
  template <Callable F, std::ranges::input_range Range>
  auto map(const MapOptionsFor<F, item_t<Range>, Unpack::no>& options, F&& f, Range&& items) {
    return run_map<item_t<Range>, Unpack::no, Errors::raise>(options, std::forward<F>(f),
                                                             std::forward<Range>(items));
  }
  template <Known F>
  auto map(const MapOptionsFor<F, listed_t<F>, Unpack::no>& options, F&& f,
           std::initializer_list<listed_t<F>> items) {
    return run_map<listed_t<F>, Unpack::no, Errors::raise>(options, std::forward<F>(f), items);
  }
  template <typename F, typename Element>
    requires(!Known<F>)
  auto map(const MapOptionsFor<F, item_t<std::initializer_list<Element>>, Unpack::no>& options,
           F&& f, std::initializer_list<Element> items) {
    return run_map<item_t<std::initializer_list<Element>>, Unpack::no, Errors::raise>(
        options, std::forward<F>(f), items);
  }
  template <typename... Given>
    requires NoMapCall<Given...>
  auto map(Given&&...) {
    refuse_map_call<Given...>();
    return NoResults();
  }
  template <Known F, Misfit<listed_t<F>> Element>
  auto map(F&&, std::initializer_list<Element>, Count = {}) {
    refuse_list<Element, listed_t<F>>();
    return NoResults();
  }
  template <typename F>
    requires(!Known<F>)
  auto map(F&&, EmptyBraces) {
    refuse_empty_list<F>();
    return NoResults();
  }

  // The same without waiting: the items are encoded before it returns.
  template <Callable F, std::ranges::input_range Range>
  auto map_async(F&& f, Range&& items, Count chunk_size = {}) {
    return start_map<item_t<Range>, Unpack::no, Errors::raise>(
        {.chunksize = chunk_size}, std::forward<F>(f), std::forward<Range>(items));
  }
  template <Known F>
  auto map_async(F&& f, std::initializer_list<listed_t<F>> items, Count chunk_size = {}) {
    return start_map<listed_t<F>, Unpack::no, Errors::raise>({.chunksize = chunk_size},
                                                             std::forward<F>(f), items);
  }
  template <typename F, typename Element>
    requires(!Known<F>)
  auto map_async(F&& f, std::initializer_list<Element> items, Count chunk_size = {}) {
    return start_map<item_t<std::initializer_list<Element>>, Unpack::no, Errors::raise>(
        {.chunksize = chunk_size}, std::forward<F>(f), items);
  }
  template <Callable F, std::ranges::input_range Range>
  auto map_async(const MapOptionsFor<F, item_t<Range>, Unpack::no>& options, F&& f, Range&& items) {
    return start_map<item_t<Range>, Unpack::no, Errors::raise>(options, std::forward<F>(f),
                                                               std::forward<Range>(items));
  }
  template <Known F>
  auto map_async(const MapOptionsFor<F, listed_t<F>, Unpack::no>& options, F&& f,
                 std::initializer_list<listed_t<F>> items) {
    return start_map<listed_t<F>, Unpack::no, Errors::raise>(options, std::forward<F>(f), items);
  }
  template <typename F, typename Element>
    requires(!Known<F>)
  auto map_async(
      const MapOptionsFor<F, item_t<std::initializer_list<Element>>, Unpack::no>& options, F&& f,
      std::initializer_list<Element> items) {
    return start_map<item_t<std::initializer_list<Element>>, Unpack::no, Errors::raise>(
        options, std::forward<F>(f), items);
  }
  template <typename... Given>
    requires NoMapCall<Given...>
  auto map_async(Given&&...) {
    refuse_map_call<Given...>();
    return AsyncResult<wire::NoResult>();
  }
  template <Known F, Misfit<listed_t<F>> Element>
  auto map_async(F&&, std::initializer_list<Element>, Count = {}) {
    refuse_list<Element, listed_t<F>>();
    return AsyncResult<wire::NoResult>();
  }
  template <typename F>
    requires(!Known<F>)
  auto map_async(F&&, EmptyBraces) {
    refuse_empty_list<F>();
    return AsyncResult<wire::NoResult>();
  }

  // The same as map, but of each item its value or its error.
  template <Callable F, std::ranges::input_range Range>
  auto map_outcomes(F&& f, Range&& items, Count chunk_size = {}) {
    return run_map<item_t<Range>, Unpack::no, Errors::collect>(
        {.chunksize = chunk_size}, std::forward<F>(f), std::forward<Range>(items));
  }
  template <Known F>
  auto map_outcomes(F&& f, std::initializer_list<listed_t<F>> items, Count chunk_size = {}) {
    return run_map<listed_t<F>, Unpack::no, Errors::collect>({.chunksize = chunk_size},
                                                             std::forward<F>(f), items);
  }
  template <typename F, typename Element>
    requires(!Known<F>)
  auto map_outcomes(F&& f, std::initializer_list<Element> items, Count chunk_size = {}) {
    return run_map<item_t<std::initializer_list<Element>>, Unpack::no, Errors::collect>(
        {.chunksize = chunk_size}, std::forward<F>(f), items);
  }
  template <Callable F, std::ranges::input_range Range>
  auto map_outcomes(const MapOptionsFor<F, item_t<Range>, Unpack::no>& options, F&& f,
                    Range&& items) {
    return run_map<item_t<Range>, Unpack::no, Errors::collect>(options, std::forward<F>(f),
                                                               std::forward<Range>(items));
  }
  template <Known F>
  auto map_outcomes(const MapOptionsFor<F, listed_t<F>, Unpack::no>& options, F&& f,
                    std::initializer_list<listed_t<F>> items) {
    return run_map<listed_t<F>, Unpack::no, Errors::collect>(options, std::forward<F>(f), items);
  }
  template <typename F, typename Element>
    requires(!Known<F>)
  auto map_outcomes(
      const MapOptionsFor<F, item_t<std::initializer_list<Element>>, Unpack::no>& options, F&& f,
      std::initializer_list<Element> items) {
    return run_map<item_t<std::initializer_list<Element>>, Unpack::no, Errors::collect>(
        options, std::forward<F>(f), items);
  }
  template <typename... Given>
    requires NoMapCall<Given...>
  auto map_outcomes(Given&&...) {
    refuse_map_call<Given...>();
    return NoResults();
  }
  template <Known F, Misfit<listed_t<F>> Element>
  auto map_outcomes(F&&, std::initializer_list<Element>, Count = {}) {
    refuse_list<Element, listed_t<F>>();
    return NoResults();
  }
  template <typename F>
    requires(!Known<F>)
  auto map_outcomes(F&&, EmptyBraces) {
    refuse_empty_list<F>();
    return NoResults();
  }

 protected:
  using PoolBase::PoolBase;
};

}  // namespace brood::detail
