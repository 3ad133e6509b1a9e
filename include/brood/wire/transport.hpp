// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <brood/base/export.hpp>

// What an argument travels as. A value travels as itself; what looks at memory of
// the caller travels as a value that owns a copy of it:
//
//   literal, char array, const char*, string_view    the std::basic_string
//   span, C array of other elements                  the std::vector
//   an element of a std::vector<bool>                bool
//
// A C array becomes a vector and not a std::array, as in a call it would lose its
// length too; a parameter that is a vector or a span takes it.
namespace brood::wire {
namespace detail {

template <typename T>
concept Character =
    std::is_same_v<T, char> || std::is_same_v<T, wchar_t> || std::is_same_v<T, char8_t> ||
    std::is_same_v<T, char16_t> || std::is_same_v<T, char32_t>;

// T without reference and cv; arrays still are arrays.
template <typename T>
struct Transport {
  using type = T;
};
template <typename Char>
  requires Character<std::remove_const_t<Char>>
struct Transport<Char*> {
  using type = std::basic_string<std::remove_const_t<Char>>;
};
template <Character Char, std::size_t Size>
struct Transport<Char[Size]> {
  using type = std::basic_string<Char>;
};
template <typename Char, typename Traits>
struct Transport<std::basic_string_view<Char, Traits>> {
  using type = std::basic_string<Char, Traits>;
};
template <typename T, std::size_t Size>
  requires(!Character<T>)
struct Transport<T[Size]> {
  using type = std::vector<T>;
};
template <typename T, std::size_t Extent>
struct Transport<std::span<T, Extent>> {
  using type = std::vector<std::remove_cv_t<T>>;
};
template <>
struct Transport<std::vector<bool>::reference> {
  using type = bool;
};
// A function is no value, and its pointer is refused by name.
template <typename Return, typename... Args>
struct Transport<Return(Args...)> {
  using type = Return (*)(Args...);
};
template <typename Return, typename... Args>
struct Transport<Return(Args...) noexcept> {
  using type = Return (*)(Args...) noexcept;
};

// Throws ValueError.
[[noreturn]] BROOD_EXPORT void throw_null_string();

}  // namespace detail

template <typename T>
struct TransportOf : detail::Transport<std::remove_cvref_t<T>> {};
template <typename T>
using transport_t = typename TransportOf<T>::type;

// Throws: ValueError for a null const char*.
template <typename T>
transport_t<T> to_transport(T&& value) {
  using Given = std::remove_cvref_t<T>;
  using Shipped = transport_t<T>;
  if constexpr (std::is_pointer_v<Given> && !std::is_pointer_v<Shipped>) {
    if (value == nullptr) detail::throw_null_string();
    return Shipped(value);
  } else if constexpr (std::is_array_v<Given>) {
    if constexpr (detail::Character<std::remove_extent_t<Given>>) {
      // Up to the first zero, as a const char* would be read, but never past the end.
      std::size_t length = 0;
      while (length < std::extent_v<Given> && value[length] != 0) ++length;
      return Shipped(value, length);
    } else {
      using Element = typename Shipped::value_type;
      Shipped elements;
      elements.reserve(std::extent_v<Given>);
      for (auto& element : value) {
        if constexpr (std::is_rvalue_reference_v<T&&> &&
                      !std::is_const_v<std::remove_reference_t<T>>) {
          elements.push_back(std::move(element));
        } else {
          elements.push_back(static_cast<const Element&>(element));
        }
      }
      return elements;
    }
  } else if constexpr (std::is_same_v<Given, Shipped>) {
    return std::forward<T>(value);
  } else if constexpr (requires { Shipped(value.begin(), value.end()); }) {
    return Shipped(value.begin(), value.end());
  } else {
    return static_cast<Shipped>(value);
  }
}

}  // namespace brood::wire
