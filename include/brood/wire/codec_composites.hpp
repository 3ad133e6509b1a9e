// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <brood/base/error.hpp>
#include <brood/wire/codec.hpp>

// A fixed number of parts, each of its own type, and one of several.
namespace brood::wire::codec {

// Stands for what has no parts, since nothing may take no bytes at all.
inline void put_nothing(Writer& out) { *out.reserve(1) = std::byte{0}; }
inline void get_nothing(Reader& in) { in.take(1); }

// Pairs and tuples. The parts are read within braces, where the language says
// which comes first.
template <typename T>
struct Codec<T, Way::product> {
  static void put(Writer& out, const T& parts) {
    if constexpr (std::tuple_size_v<T> == 0) put_nothing(out);
    std::apply([&out](const auto&... part) { (codec::put(out, part), ...); }, parts);
  }

  static T get(Reader& in) {
    if constexpr (std::tuple_size_v<T> == 0) get_nothing(in);
    return get_parts(in, shape::parts_of<T>{});
  }

 private:
  template <typename... Part>
  static T get_parts([[maybe_unused]] Reader& in, shape::Types<Part...>) {
    return T{codec::get<std::remove_cv_t<Part>>(in)...};
  }
};

template <typename T>
struct Codec<T, Way::array> {
  static constexpr std::size_t size = shape::extent<T>();

  static void put(Writer& out, const T& elements) {
    if constexpr (size == 0) put_nothing(out);
    for (std::size_t i = 0; i < size; ++i) codec::put(out, elements[i]);
  }

  static T get(Reader& in) {
    if constexpr (size == 0) get_nothing(in);
    return get_elements(in, std::make_index_sequence<size>{});
  }

 private:
  template <std::size_t... I>
  static T get_elements([[maybe_unused]] Reader& in, std::index_sequence<I...>) {
    using Element = typename T::value_type;
    if constexpr (size <= 64 || !std::is_default_constructible_v<T> ||
                  !std::is_move_assignable_v<T>) {
      return T{{(static_cast<void>(I), codec::get<Element>(in))...}};
    } else {
      T elements;
      for (Element& element : elements) get_into(in, element);
      return elements;
    }
  }
};

template <typename T>
struct Codec<T, Way::aggregate> {
  using Fields = shape::FieldsOf<T>;

  static void put(Writer& out, const T& value) {
    if constexpr (Fields::size == 0) put_nothing(out);
    shape::visit(value, [&out](const auto&... field) { (codec::put(out, field), ...); });
  }

  static T get(Reader& in) {
    if constexpr (Fields::size == 0) get_nothing(in);
    return get_fields(in, Fields{});
  }

 private:
  template <typename... Field>
  static T get_fields([[maybe_unused]] Reader& in, shape::Types<Field...>) {
    if constexpr ((std::is_array_v<Field> || ...)) {
      T value{};
      shape::visit(value, [&in](auto&... field) { (get_into(in, field), ...); });
      return value;
    } else {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"  // a bit-field is given what it held
      return T{codec::get<std::remove_cv_t<Field>>(in)...};
#pragma GCC diagnostic pop
    }
  }
};

// A flag that says whether a value follows.
template <typename T>
bool get_flag(Reader& in) {
  const std::byte flag = *in.take(1);
  if (flag > std::byte{1}) [[unlikely]] {
    throw_undecodable(type_name<T>(), "the flag before its value is neither 0 nor 1");
  }
  return flag == std::byte{1};
}

template <typename T>
struct Codec<T, Way::optional> {
  static void put(Writer& out, const T& optional) {
    *out.reserve(1) = std::byte{optional.has_value()};
    if (optional) codec::put(out, *optional);
  }

  static T get(Reader& in) {
    if (!get_flag<T>(in)) return T{};
    return T(std::in_place, codec::get<std::remove_cv_t<typename T::value_type>>(in));
  }
};

template <typename T>
struct Codec<T, Way::owner> {
  using Target = typename T::element_type;

  static void put(Writer& out, const T& owner) {
    const Depth::Level level(out.depth(), sizeof(Target));
    *out.reserve(1) = std::byte{owner != nullptr};
    if (owner) codec::put<std::remove_cv_t<Target>>(out, *owner);
  }

  static T get(Reader& in) {
    const Depth::Level level(in.depth(), sizeof(Target));
    if (!get_flag<T>(in)) return nullptr;
    return T(new Target(codec::get<std::remove_cv_t<Target>>(in)));
  }
};

template <typename T>
struct Codec<T, Way::variant> {
  static constexpr std::size_t size = std::variant_size_v<T>;
  using Index = std::conditional_t<(size < 256), std::uint8_t, std::uint32_t>;

  static void put(Writer& out, const T& variant) {
    if (variant.valueless_by_exception()) {
      throw ShipError("cannot encode " + type_name<T>() +
                      ": it is valueless by exception; assign a value to it first");
    }
    codec::put(out, static_cast<Index>(variant.index()));
    std::visit([&out](const auto& value) { codec::put(out, value); }, variant);
  }

  static T get(Reader& in) {
    const auto index = codec::get<Index>(in);
    if (index >= size) [[unlikely]] {
      throw_undecodable(type_name<T>(), "its index names none of its types");
    }
    return get_alternative(in, index, std::make_index_sequence<size>{});
  }

 private:
  template <std::size_t I>
  static T get_one(Reader& in) {
    return T(std::in_place_index<I>,
             codec::get<std::remove_cv_t<std::variant_alternative_t<I, T>>>(in));
  }
  template <std::size_t... I>
  static T get_alternative(Reader& in, std::size_t index, std::index_sequence<I...>) {
    constexpr T (*alternatives[])(Reader&) = {&get_one<I>...};
    return alternatives[index](in);
  }
};

}  // namespace brood::wire::codec
