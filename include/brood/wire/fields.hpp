// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include <brood/wire/aggregate.hpp>

// The fields of an aggregate: their types, whether they can be told apart, and
// why not.
namespace brood::wire::shape {

// Converts to any base of Whole, which stands before the fields.
template <typename Whole>
struct AnyBase {
  template <typename Base>
    requires(std::is_base_of_v<Base, Whole> && !std::is_same_v<Base, Whole>)
  operator Base() const noexcept {
    __builtin_unreachable();
  }
};

template <typename Whole>
struct AnyLvalue {
  constexpr explicit AnyLvalue(std::size_t = 0) noexcept {}
  template <typename Field>
    requires(!std::is_same_v<Field, Whole>)
  operator Field&() const noexcept {
    __builtin_unreachable();
  }
};

// Converts to nothing: what takes it takes everything.
struct Stranger {};

template <typename T>
inline constexpr bool has_base = requires { T{AnyBase<T>{}}; } && !requires { T{Stranger{}}; };

// T{before..., {inner...}, after...}.
template <typename T, std::size_t Before, std::size_t Inner, std::size_t After>
consteval bool takes_around_braces() {
  return []<std::size_t... I, std::size_t... J, std::size_t... K>(
             std::index_sequence<I...>, std::index_sequence<J...>, std::index_sequence<K...>) {
    return requires { T{Anything<T>(I)..., {Anything<T>(J)...}, Anything<T>(K)...}; };
  }(std::make_index_sequence<Before>{}, std::make_index_sequence<Inner>{},
         std::make_index_sequence<After>{});
}

// T{initialisers...}.
template <typename T, template <typename> typename Any, std::size_t Count>
consteval bool takes() {
  return []<std::size_t... I>(std::index_sequence<I...>) {
    return requires { T{Any<T>(I)...}; };
  }(std::make_index_sequence<Count>{});
}

// The slow way to count, for aggregates with a field that can't be left out: how
// many initialisers fit, where each element of an array counts for one.
inline constexpr std::size_t most_initialisers = 256;
template <typename T, template <typename> typename Any, std::size_t Count = 1>
consteval std::size_t count_initialisers() {
  if constexpr (Count > most_initialisers) {
    return unknown_count;
  } else if constexpr (!takes<T, Any, Count>()) {
    return count_initialisers<T, Any, Count + 1>();
  } else if constexpr (takes<T, Any, Count + 1>()) {
    return count_initialisers<T, Any, Count + 1>();
  } else {
    return Count;
  }
}

// How many of the initialisers go to the field that begins at `At`. Braces there
// use up one whole field, so the initialisers behind an array are just as many as
// the array leaves, and not one more. (A std::string takes {x, y} too, but it is
// one initialiser, and two more then fit behind.)
template <typename T, std::size_t Total, std::size_t At, std::size_t Width = 1>
consteval std::size_t width_of_field() {
  if constexpr (At + Width > Total) {
    return 1;
  } else {
    constexpr std::size_t left = Total - At - Width;
    if constexpr (takes_around_braces<T, At, 0, left>() ||
                  (Width > 1 && takes_around_braces<T, At, Width, left>() &&
                   !takes_around_braces<T, At, Width, left + 1>())) {
      return Width;
    } else {
      return width_of_field<T, Total, At, Width + 1>();
    }
  }
}

template <typename T, std::size_t Total, std::size_t At = 0>
consteval std::size_t count_by_width() {
  if constexpr (At == Total) {
    return 0;
  } else {
    return 1 + count_by_width<T, Total, At + width_of_field<T, Total, At>()>();
  }
}

template <typename T>
consteval std::size_t count_fields() {
  constexpr std::size_t count = count_by_braces<T>();
  if constexpr (count != unknown_count || std::is_empty_v<T>) {
    return count;
  } else {
    constexpr std::size_t total = count_initialisers<T, Anything>();
    if constexpr (total == unknown_count) {
      return unknown_count;
    } else {
      constexpr std::size_t counted = count_by_width<T, total>();
      return counted <= most_fields ? counted : unknown_count;
    }
  }
}

// A struct that the visitor can take apart, if its fields can be counted.
template <typename T>
concept PlainAggregate =
    std::is_aggregate_v<T> && std::is_class_v<T> && !requires { std::tuple_size<T>::value; };

enum class Trouble { none, not_aggregate, base_class, reference, uncountable };

template <typename T>
consteval Trouble trouble_with_fields() {
  if constexpr (!PlainAggregate<T>) {
    return Trouble::not_aggregate;
  } else if constexpr (has_base<T>) {
    return Trouble::base_class;
  } else if constexpr (count_fields<T>() != unknown_count) {
    return Trouble::none;
  } else if constexpr (count_initialisers<T, Anything>() == unknown_count &&
                       count_initialisers<T, AnyLvalue>() != unknown_count) {
    return Trouble::reference;
  } else {
    return Trouble::uncountable;
  }
}

template <typename T>
inline constexpr std::size_t field_count = count_fields<T>();

template <typename T>
using FieldsOf = decltype(list_fields<T, field_count<T>>(std::declval<T&>()));

template <typename T>
inline constexpr bool has_bit_fields =
    !decltype(all_fields_bind<T, field_count<T>>(std::declval<T&>()))::value;

// visitor(first, second, ...), each an lvalue as const as the value is.
template <typename T, typename Visitor>
constexpr decltype(auto) visit(T& value, Visitor&& visitor) {
  return visit_fields<field_count<std::remove_const_t<T>>>(value, std::forward<Visitor>(visitor));
}

}  // namespace brood::wire::shape
