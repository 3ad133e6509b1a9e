// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <ranges>
#include <utility>

#include <brood/pool/map_face.hpp>

namespace brood::detail {

// Maps over tuples, pairs or a std::map's pairs, which become the arguments.
class StarmapFace : public MapFace {
 public:
  // map, with each element's parts as the arguments of one call.
  template <Callable F, std::ranges::input_range Range>
  auto starmap(F&& f, Range&& items, Count chunk_size = {}) {
    return run_map<star_item_t<Range>, Unpack::yes, Errors::raise>(
        {.chunksize = chunk_size}, std::forward<F>(f), std::forward<Range>(items));
  }
  template <Known F>
  auto starmap(F&& f, std::initializer_list<star_listed_t<F>> items, Count chunk_size = {}) {
    return run_map<star_listed_t<F>, Unpack::yes, Errors::raise>({.chunksize = chunk_size},
                                                                 std::forward<F>(f), items);
  }
  template <typename F, typename Element>
    requires(!Known<F>)
  auto starmap(F&& f, std::initializer_list<Element> items, Count chunk_size = {}) {
    return run_map<star_item_t<std::initializer_list<Element>>, Unpack::yes, Errors::raise>(
        {.chunksize = chunk_size}, std::forward<F>(f), items);
  }
  template <Callable F, std::ranges::input_range Range>
  auto starmap(const MapOptionsFor<F, star_item_t<Range>, Unpack::yes>& options, F&& f,
               Range&& items) {
    return run_map<star_item_t<Range>, Unpack::yes, Errors::raise>(options, std::forward<F>(f),
                                                                   std::forward<Range>(items));
  }
  template <Known F>
  auto starmap(const MapOptionsFor<F, star_listed_t<F>, Unpack::yes>& options, F&& f,
               std::initializer_list<star_listed_t<F>> items) {
    return run_map<star_listed_t<F>, Unpack::yes, Errors::raise>(options, std::forward<F>(f),
                                                                 items);
  }
  template <typename F, typename Element>
    requires(!Known<F>)
  auto starmap(
      const MapOptionsFor<F, star_item_t<std::initializer_list<Element>>, Unpack::yes>& options,
      F&& f, std::initializer_list<Element> items) {
    return run_map<star_item_t<std::initializer_list<Element>>, Unpack::yes, Errors::raise>(
        options, std::forward<F>(f), items);
  }
  template <typename... Given>
    requires NoMapCall<Given...>
  auto starmap(Given&&...) {
    refuse_map_call<Given...>();
    return NoResults();
  }
  template <Known F, Misfit<star_listed_t<F>> Element>
  auto starmap(F&&, std::initializer_list<Element>, Count = {}) {
    refuse_star_list<Element, star_listed_t<F>>();
    return NoResults();
  }
  template <typename F>
    requires(!Known<F>)
  auto starmap(F&&, EmptyBraces) {
    refuse_empty_list<F>();
    return NoResults();
  }

  // map_async likewise.
  template <Callable F, std::ranges::input_range Range>
  auto starmap_async(F&& f, Range&& items, Count chunk_size = {}) {
    return start_map<star_item_t<Range>, Unpack::yes, Errors::raise>(
        {.chunksize = chunk_size}, std::forward<F>(f), std::forward<Range>(items));
  }
  template <Known F>
  auto starmap_async(F&& f, std::initializer_list<star_listed_t<F>> items, Count chunk_size = {}) {
    return start_map<star_listed_t<F>, Unpack::yes, Errors::raise>({.chunksize = chunk_size},
                                                                   std::forward<F>(f), items);
  }
  template <typename F, typename Element>
    requires(!Known<F>)
  auto starmap_async(F&& f, std::initializer_list<Element> items, Count chunk_size = {}) {
    return start_map<star_item_t<std::initializer_list<Element>>, Unpack::yes, Errors::raise>(
        {.chunksize = chunk_size}, std::forward<F>(f), items);
  }
  template <Callable F, std::ranges::input_range Range>
  auto starmap_async(const MapOptionsFor<F, star_item_t<Range>, Unpack::yes>& options, F&& f,
                     Range&& items) {
    return start_map<star_item_t<Range>, Unpack::yes, Errors::raise>(options, std::forward<F>(f),
                                                                     std::forward<Range>(items));
  }
  template <Known F>
  auto starmap_async(const MapOptionsFor<F, star_listed_t<F>, Unpack::yes>& options, F&& f,
                     std::initializer_list<star_listed_t<F>> items) {
    return start_map<star_listed_t<F>, Unpack::yes, Errors::raise>(options, std::forward<F>(f),
                                                                   items);
  }
  template <typename F, typename Element>
    requires(!Known<F>)
  auto starmap_async(
      const MapOptionsFor<F, star_item_t<std::initializer_list<Element>>, Unpack::yes>& options,
      F&& f, std::initializer_list<Element> items) {
    return start_map<star_item_t<std::initializer_list<Element>>, Unpack::yes, Errors::raise>(
        options, std::forward<F>(f), items);
  }
  template <typename... Given>
    requires NoMapCall<Given...>
  auto starmap_async(Given&&...) {
    refuse_map_call<Given...>();
    return AsyncResult<wire::NoResult>();
  }
  template <Known F, Misfit<star_listed_t<F>> Element>
  auto starmap_async(F&&, std::initializer_list<Element>, Count = {}) {
    refuse_star_list<Element, star_listed_t<F>>();
    return AsyncResult<wire::NoResult>();
  }
  template <typename F>
    requires(!Known<F>)
  auto starmap_async(F&&, EmptyBraces) {
    refuse_empty_list<F>();
    return AsyncResult<wire::NoResult>();
  }

 protected:
  using MapFace::MapFace;
};

}  // namespace brood::detail
