// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <ranges>
#include <type_traits>

#include <brood/base/count.hpp>
#include <brood/pool/options.hpp>
#include <brood/wire/call_type.hpp>

// What a Pool says, in one sentence each, of calls that no overload takes: else
// the compiler would list all of them.
namespace brood::detail {

// Stands for the values of a map that can't be, so that the one sentence which
// says why is the only error. As wire::NoResult for one call's.
struct NoResults {
  template <typename T>
  operator T() const;
  wire::NoResult* begin() const;
  wire::NoResult* end() const;
  std::size_t size() const;
  wire::NoResult operator[](std::size_t place) const;
  wire::NoResult at(std::size_t place) const;
  wire::NoResult front() const;
  wire::NoResult back() const;
};

template <typename F>
concept Callable = !std::ranges::range<F>;

template <typename F>
inline constexpr bool is_options_type = false;
template <typename Result>
inline constexpr bool is_options_type<ApplyOptions<Result>> = true;
template <typename Result>
inline constexpr bool is_options_type<MapOptions<Result>> = true;
template <typename F>
concept is_options = is_options_type<std::remove_cvref_t<F>>;

// The shapes that calls of a map have.
template <typename... Given>
inline constexpr bool is_map_call = false;
template <typename F, typename Items>
inline constexpr bool is_map_call<F, Items> = Callable<F> && std::ranges::input_range<Items>;
template <typename First, typename Second, typename Third>
inline constexpr bool is_map_call<First, Second, Third> =
    is_options<First> ? Callable<Second> && std::ranges::input_range<Third>
                      : is_map_call<First, Second> && std::convertible_to<Third, Count>;

template <typename... Given>
concept NoMapCall = !is_map_call<Given...>;

template <typename... Given>
consteval void refuse_map_call() {
  static_assert(is_map_call<Given...>,
                "brood: this is no call of a map: it takes the function, then its items (one range "
                "or braced list), then a chunk size where one is wanted; options come before the "
                "function");
}

// A braced list whose elements are not what the callable takes.
template <typename Element, typename Wanted>
concept Misfit = !std::is_convertible_v<Element, Wanted>;

template <typename Element, typename Wanted>
consteval void refuse_list() {
  static_assert(std::is_convertible_v<Element, Wanted>,
                "brood: this function cannot be called with the elements of this list: they do not "
                "convert to the type of its first parameter");
}
template <typename Element, typename Wanted>
consteval void refuse_star_list() {
  static_assert(std::is_convertible_v<Element, Wanted>,
                "brood: this function cannot be called with the elements of this list: each must "
                "be the arguments of one call in braces, as in {{1, 2.0}, {3, 4.0}}; for single "
                "arguments use map");
}

// What {} is where nothing says of what.
struct EmptyBraces {};

template <typename F>
consteval void refuse_empty_list() {
  static_assert(wire::has_known_signature_v<F>,
                "brood: the type of the elements of {} is not known, since this callable takes "
                "any; write std::vector<T>{} instead");
}

// A number, or a container, where the function should be.
template <typename F>
inline constexpr bool may_be_called =
    std::is_class_v<std::decay_t<F>>
        ? Callable<F>
        : std::is_member_pointer_v<std::decay_t<F>> ||
              std::is_function_v<std::remove_pointer_t<std::decay_t<F>>>;

template <typename F>
consteval bool require_function() {
  static_assert(may_be_called<F>,
                "brood: this is no function: the function (or lambda, or function object) comes "
                "first, then its arguments");
  return may_be_called<F>;
}

}  // namespace brood::detail
