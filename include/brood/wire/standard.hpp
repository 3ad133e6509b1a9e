// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

// Recognises the types of the standard library. Those of whose headers brood has
// no need itself are known by what they can do and by their name's beginning with
// std::, so that a program pays only for the headers that it includes. A type of
// the user that looks like a container is not one: it may hold more.
namespace brood::wire::shape {

template <typename T>
consteval std::string_view spelling() {
  const std::string_view function = __PRETTY_FUNCTION__;
  return function.substr(function.find("T = ") + 4);
}

template <typename T>
inline constexpr bool is_of_std = spelling<T>().starts_with("std::");

template <typename T>
concept Std = std::is_class_v<T> && is_of_std<T>;

template <typename T, template <typename...> typename Template>
inline constexpr bool is_made_of = false;
template <typename... A, template <typename...> typename Template>
inline constexpr bool is_made_of<Template<A...>, Template> = true;

template <typename T>
concept Text = is_made_of<T, std::basic_string>;

template <typename T>
concept Vector = is_made_of<T, std::vector>;

template <typename T>
inline constexpr bool is_array = std::is_bounded_array_v<T>;
template <typename T, std::size_t Size>
inline constexpr bool is_array<std::array<T, Size>> = true;

template <typename T>
concept Product = is_made_of<T, std::pair> || is_made_of<T, std::tuple>;

// deque, list, forward_list.
template <typename T>
concept Sequence =
    Std<T> && !Vector<T> && !Text<T> && std::default_initializable<T> && requires(T& value) {
      typename T::value_type;
      value.begin();
      value.end();
      requires requires { value.push_back(*value.begin()); } || requires {
        value.before_begin();
      } || requires { value.emplace_back(std::move(*value.begin())); };
      requires !requires { typename T::traits_type; };
    };

// set and map, multi, unordered or not.
template <typename T>
concept Keyed = Std<T> && requires(T& value) {
  typename T::key_type;
  typename T::value_type;
  typename T::allocator_type;
  value.begin();
  value.size();
  requires requires { typename T::key_compare; } || requires { typename T::hasher; };
};
template <typename T>
concept Map = Keyed<T> && requires { typename T::mapped_type; };
template <typename T>
concept Hashed = Keyed<T> && requires { typename T::hasher; };

// What decides about order or equality can't be sent, so it must have no state.
template <typename T>
consteval bool has_stateless_order() {
  if constexpr (Hashed<T>) {
    return std::is_empty_v<typename T::hasher> && std::is_empty_v<typename T::key_equal> &&
           std::is_default_constructible_v<T>;
  } else if constexpr (requires { typename T::key_compare; }) {
    return std::is_empty_v<typename T::key_compare> && std::is_default_constructible_v<T>;
  } else if constexpr (requires { typename T::value_compare; }) {
    return std::is_empty_v<typename T::value_compare> && std::is_default_constructible_v<T>;
  } else {
    return true;
  }
}

// stack, queue, priority_queue.
template <typename T>
concept Adapter = Std<T> && requires(T& value) {
  typename T::container_type;
  value.size();
  value.pop();
};

template <typename T>
concept Optional = is_made_of<T, std::optional>;

template <typename T>
concept Variant = is_made_of<T, std::variant>;

template <typename T>
inline constexpr bool is_unique_pointer = false;
template <typename T, typename Deleter>
inline constexpr bool is_unique_pointer<std::unique_ptr<T, Deleter>> = true;

template <typename T>
inline constexpr bool is_shared_pointer =
    is_made_of<T, std::shared_ptr> || is_made_of<T, std::weak_ptr>;

template <typename T>
concept Bitset = Std<T> && requires(T& value, std::size_t at) {
  value.to_ullong();
  value.set(at, true);
};

template <typename T>
concept Path = Std<T> && requires(const T& value) {
  typename T::string_type;
  value.native();
  value.has_root_path();
};

template <typename T>
concept Valarray = Std<T> && requires(T& value, std::size_t size) {
  value.cshift(1);
  value.resize(size);
};

template <typename T>
inline constexpr bool is_time = false;
template <typename Rep, typename Period>
inline constexpr bool is_time<std::chrono::duration<Rep, Period>> = true;
template <typename Clock, typename Duration>
inline constexpr bool is_time<std::chrono::time_point<Clock, Duration>> = true;

template <typename T>
concept Complex = Std<T> && std::is_trivially_copyable_v<T> && requires(const T& value) {
  typename T::value_type;
  value.real();
  value.imag();
};

// The parts of a date and of a time of day: year, weekday, year_month_day.
template <typename T>
concept Calendar =
    Std<T> && std::is_trivially_copyable_v<T> && spelling<T>().starts_with("std::chrono::") &&
    !is_time<T> && !spelling<T>().starts_with("std::chrono::zoned_time");

// Looks at memory of somebody else.
template <typename T>
concept View = Std<T> && (spelling<T>().starts_with("std::basic_string_view<") ||
                          spelling<T>().starts_with("std::span<") ||
                          spelling<T>().starts_with("std::initializer_list<"));

template <typename T>
concept Function = Std<T> && (spelling<T>().starts_with("std::function<") ||
                              spelling<T>().starts_with("std::move_only_function<") ||
                              spelling<T>().starts_with("std::copyable_function<"));

template <typename T>
inline constexpr bool is_reference_wrapper = false;
template <typename T>
inline constexpr bool is_reference_wrapper<std::reference_wrapper<T>> = true;

}  // namespace brood::wire::shape
