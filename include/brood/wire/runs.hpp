// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>

#include <brood/wire/encodable.hpp>

// Values that are a few runs of bytes, which can be copied at any time by anybody.
namespace brood::wire {
namespace shape {

template <typename T>
consteval bool find_runs();

template <typename... Part>
consteval bool all_are_runs(Types<Part...>) {
  return (find_runs<std::remove_cv_t<Part>>() && ...);
}

template <typename T>
consteval bool find_runs() {
  constexpr Way way = way_of<T>;
  if constexpr (is_flat_v<T>) {
    return !holds_bool<T>;
  } else if constexpr (way == Way::vector) {
    return is_flat_v<typename T::value_type> && !holds_bool<typename T::value_type>;
  } else if constexpr (way == Way::product || way == Way::aggregate) {
    return all_are_runs(parts_of<T>{});
  } else {
    return way == Way::text;
  }
}

}  // namespace shape

// Whether a T is made of a few runs of bytes that can have any values. encode and decode copy
// them and call nothing of the user's; and decode gives a T of some kind or ShipError also
// where another process writes there meanwhile.
template <typename T>
inline constexpr bool is_copied_in_runs = shape::find_runs<T>();

// What encode writes for it, but for padding.
template <typename T>
  requires is_copied_in_runs<T>
std::size_t bytes_in_runs(const T& value) noexcept {
  constexpr auto all = [](const auto&... part) {
    return (std::size_t{0} + ... + bytes_in_runs(part));
  };
  if constexpr (is_flat_v<T>) {
    return sizeof(T);
  } else if constexpr (shape::way_of<T> == shape::Way::aggregate) {
    return shape::visit(value, all);
  } else if constexpr (shape::way_of<T> == shape::Way::product) {
    return std::apply(all, value);
  } else {
    return sizeof(std::uint64_t) + value.size() * sizeof(typename T::value_type);
  }
}

}  // namespace brood::wire
