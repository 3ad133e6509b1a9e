// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <brood/wire/decode.hpp>
#include <brood/wire/encode.hpp>
#include <brood/wire/reader.hpp>

// How one argument gets from its bytes to a parameter: as a value that is moved
// in, or, where the parameter only looks at memory, as a view of the message.
namespace brood::wire::detail {

// The view that a parameter of type `View` has of an argument of type `Value`;
// void where there is none.
template <typename View, typename Value>
struct ViewOf {
  using type = void;
};

template <typename Char, typename Traits, typename Alloc>
struct ViewOf<std::basic_string_view<Char, Traits>, std::basic_string<Char, Traits, Alloc>> {
  using type = std::basic_string_view<Char, Traits>;
};

template <typename T, typename Alloc>
  requires(!std::is_same_v<T, bool>)
struct ViewOf<std::span<const T>, std::vector<T, Alloc>> {
  using type = std::span<const T>;
};

template <typename T, std::size_t Size>
struct ViewOf<std::span<const T>, std::array<T, Size>> {
  using type = std::span<const T>;
};

template <typename Parameter>
inline constexpr bool is_mutable_reference =
    std::is_lvalue_reference_v<Parameter> && !std::is_const_v<std::remove_reference_t<Parameter>>;

template <typename Parameter, typename Value>
using view_of = typename ViewOf<
    std::conditional_t<is_mutable_reference<Parameter>, void, std::remove_cvref_t<Parameter>>,
    Value>::type;

// A parameter that can't change what it is lent, so that one value serves many
// calls. Of an unknown parameter (void) nothing is assumed.
template <typename Parameter, typename Value>
inline constexpr bool only_looks =
    std::is_same_v<Parameter, Value> || std::is_same_v<Parameter, const Value> ||
    std::is_same_v<Parameter, const Value&>;

// One argument of transport type `Value` for a parameter that may be void.
template <typename Parameter, typename Value, typename View = view_of<Parameter, Value>>
class Argument {
 public:
  explicit Argument(Reader& in) : value_(decode<Value>(in)) {}
  explicit Argument(Value&& value) : value_(std::move(value)) {}

  // For one call.
  Value&& give() noexcept { return std::move(value_); }

  // For one of many calls.
  static constexpr bool lendable =
      std::is_copy_constructible_v<Value> || std::is_same_v<Parameter, const Value&>;
  decltype(auto) lend() const {
    if constexpr (only_looks<Parameter, Value>) {
      return static_cast<const Value&>(value_);
    } else {
      return Value(value_);
    }
  }

 private:
  Value value_;
};

template <typename Value>
inline constexpr bool is_flat_vector = false;
template <typename T, typename Alloc>
inline constexpr bool is_flat_vector<std::vector<T, Alloc>> = is_flat_v<T> && alignof(T) <= 16;

// The view's memory is the message's. Where that isn't aligned as the elements
// need, or the value never was a message, it is the argument's own.
template <typename Parameter, typename Value, typename View>
  requires(!std::is_void_v<View>)
class Argument<Parameter, Value, View> {
 public:
  explicit Argument(Reader& in) {
    if constexpr (std::is_same_v<Value, std::string>) {
      view_ = decode_text_in_place(in);
    } else if constexpr (is_flat_vector<Value>) {
      view_ = decode_span_in_place<typename Value::value_type>(in);
    } else {
      owned_.emplace(decode<Value>(in));
    }
  }
  explicit Argument(Value&& value) : owned_(std::move(value)) {}

  View give() const noexcept { return lend(); }

  static constexpr bool lendable = true;
  View lend() const noexcept { return owned_ ? View(owned_->data(), owned_->size()) : view_; }

 private:
  View view_;
  std::optional<Value> owned_;
};

}  // namespace brood::wire::detail
