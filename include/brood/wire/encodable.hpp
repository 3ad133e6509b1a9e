// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include <brood/wire/parts.hpp>
#include <brood/wire/shape.hpp>

// What a type is, all the way down: whether it can travel, whether it is one run
// of bytes, and how few bytes one can be.
namespace brood::wire {
namespace shape {

template <typename T>
consteval bool find_flat();

template <typename... Part>
consteval bool all_flat(Types<Part...>) {
  return (find_flat<std::remove_cv_t<Part>>() && ...);
}

template <typename T>
consteval bool find_flat() {
  constexpr Way way = way_of<T>;
  if constexpr (way == Way::scalar || way == Way::blank) {
    return true;
  } else if constexpr (way == Way::array || way == Way::plain || way == Way::aggregate) {
    return std::is_trivially_copyable_v<T> && all_flat(parts_of<T>{});
  } else {
    return false;
  }
}

// Holds a byte that must be 0 or 1, so it is looked at before it becomes a bool.
template <typename T>
consteval bool find_bool();

template <typename... Part>
consteval bool any_bool(Types<Part...>) {
  return (find_bool<std::remove_cv_t<Part>>() || ...);
}

template <typename T>
consteval bool find_bool() {
  if constexpr (!find_flat<T>())
    return false;
  else if constexpr (std::is_enum_v<T>)
    return std::is_same_v<std::underlying_type_t<T>, bool>;
  else if constexpr (way_of<T> == Way::scalar)
    return std::is_same_v<T, bool>;
  else
    return any_bool(parts_of<T>{});
}

}  // namespace shape

// Moves by one memcpy: numbers, enums, and arrays and trivially copyable
// aggregates of such, with no pointer, reference or view anywhere inside.
template <typename T>
inline constexpr bool is_flat_v = shape::find_flat<T>();

namespace shape {

template <typename T>
inline constexpr bool holds_bool = find_bool<T>();

// The fewest bytes that a T takes. Never none, so that a number of elements can
// be held against the bytes that are left.
template <typename T>
consteval std::size_t least_bytes();

template <typename... Part>
consteval std::size_t least_bytes_together(Types<Part...>) {
  return std::max<std::size_t>(1, (0 + ... + least_bytes<std::remove_cv_t<Part>>()));
}

template <typename T>
consteval std::size_t extent() {
  if constexpr (std::is_bounded_array_v<T>)
    return std::extent_v<T>;
  else
    return std::tuple_size_v<T>;
}

template <typename T>
consteval std::size_t least_bytes() {
  constexpr Way way = way_of<T>;
  if constexpr (is_flat_v<T>) {
    return sizeof(T);
  } else if constexpr (way == Way::product || way == Way::aggregate) {
    return least_bytes_together(parts_of<T>{});
  } else if constexpr (way == Way::array) {
    return std::max<std::size_t>(1, extent<T>() * least_bytes_together(parts_of<T>{}));
  } else if constexpr (way == Way::optional || way == Way::owner || way == Way::variant ||
                       way == Way::hook || way == Way::bitset) {
    return 1;
  } else {
    return sizeof(std::uint64_t);  // the number of elements
  }
}

template <typename T>
inline constexpr std::size_t least_bytes_of = least_bytes<T>();

// What the whole look found: the first reason against and the type that it is
// about; whether values can nest without end; whether a user's function is called.
template <Reason Why, typename About, bool Nests, bool Hooked>
struct Verdict {
  static constexpr Reason reason = Why;
  using Culprit = About;
  static constexpr bool hooked = Hooked;
};
using Fine = Verdict<Reason::none, void, false, false>;

template <Reason Why1, typename About1, bool Nests1, bool Hooked1, Reason Why2, typename About2,
          bool Nests2, bool Hooked2>
consteval auto operator+(Verdict<Why1, About1, Nests1, Hooked1>,
                         Verdict<Why2, About2, Nests2, Hooked2>) {
  constexpr bool first = Why1 != Reason::none;
  return Verdict<(first ? Why1 : Why2), std::conditional_t<first, About1, About2>, Nests1 || Nests2,
                 Hooked1 || Hooked2>{};
}

template <typename T, typename... Seen>
consteval auto examine();

template <typename... Seen, typename... Part>
consteval auto examine_parts(Types<Part...>) {
  return (Fine{} + ... + examine<std::remove_cv_t<Part>, Seen...>());
}

// A C array as a field can't be initialised from a value: the fields are filled
// one by one.
template <typename T, typename... Field>
consteval bool has_array(Types<Field...>) {
  return (std::is_array_v<Field> || ...);
}
template <typename T, typename... Field>
consteval bool can_be_filled(Types<Field...>) {
  return std::is_default_constructible_v<T> &&
         (!std::is_const_v<std::remove_all_extents_t<Field>> && ...) &&
         (std::is_move_assignable_v<std::remove_all_extents_t<Field>> && ...);
}

template <typename T>
consteval Reason reason_against_aggregate() {
  if constexpr (is_flat_v<T> || !has_array<T>(parts_of<T>{}))
    return Reason::none;
  else if constexpr (has_bit_fields<T>)
    return Reason::bit_fields;
  else
    return can_be_filled<T>(parts_of<T>{}) ? Reason::none : Reason::fixed_array;
}

template <typename T, typename... Seen>
consteval auto examine() {
  constexpr Way way = way_of<T>;
  if constexpr (way == Way::refused) {
    return Verdict<shape_of<T>.reason, T, false, false>{};
  } else if constexpr (way == Way::hook) {
    return Verdict<Reason::none, void, true, true>{};
  } else if constexpr ((std::is_same_v<T, Seen> || ...)) {
    return Verdict<Reason::none, void, true, false>{};
  } else if constexpr (way == Way::aggregate) {
    constexpr auto parts = examine_parts<Seen..., T>(parts_of<T>{});
    if constexpr (parts.reason != Reason::none) {
      return parts;
    } else {
      return Verdict<reason_against_aggregate<T>(), T, false, false>{} + parts;
    }
  } else if constexpr (way == Way::plain && (!is_flat_v<T> || holds_bool<T>)) {
    return Verdict<Reason::opaque, T, false, false>{};
  } else {
    return examine_parts<Seen...>(parts_of<T>{});
  }
}

template <typename T>
using verdict_on = decltype(examine<T>());

}  // namespace shape

// Can travel as an argument and as a result: a decayed type, all of whose parts
// brood knows a way for.
template <typename T>
concept Encodable = shape::verdict_on<T>::reason == shape::Reason::none;

}  // namespace brood::wire
