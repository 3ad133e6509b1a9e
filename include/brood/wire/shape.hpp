// SPDX-License-Identifier: MIT
#pragma once

#include <cereal/access.hpp>
#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <brood/wire/archive.hpp>
#include <brood/wire/fields.hpp>
#include <brood/wire/standard.hpp>

// Which way a type goes into a message, seen from outside, or why it can't.
namespace brood::wire::shape {

enum class Way {
  refused,
  scalar,
  blank,  // an empty class: nothing in it to send
  plain,  // of std, and a run of bytes: a complex number, a time, a date
  text,
  vector,
  sequence,
  keyed,
  array,
  product,
  optional,
  variant,
  owner,  // unique_ptr
  adapter,
  bitset,
  path,
  valarray,
  hook,  // the user's own functions for cereal
  aggregate
};

// Why a type can't travel. Each has its sentence in require.hpp.
enum class Reason {
  none,
  raw_pointer,
  reference,
  view,
  function,
  shared_pointer,
  array_pointer,
  deleter,
  polymorphic_pointer,
  stateful_order,
  half_hook,
  no_default,
  base_class,
  bit_fields,
  fixed_array,
  too_many_fields,
  a_union,
  opaque
};

struct Shape {
  Way way = Way::refused;
  Reason reason = Reason::none;

  constexpr Shape(Way taken) noexcept : way(taken) {}            // NOLINT: meant to convert
  constexpr Shape(Reason against) noexcept : reason(against) {}  // NOLINT: meant to convert
};

#ifdef __SIZEOF_INT128__
template <typename T>
inline constexpr bool is_wide = std::is_same_v<T, __int128> || std::is_same_v<T, unsigned __int128>;
#else
template <typename T>
inline constexpr bool is_wide = false;
#endif

template <typename T>
consteval Shape shape_of_pointer() {
  if constexpr (is_shared_pointer<T>) {
    if constexpr (has_save<T> && has_load<T>) return Way::hook;
    return Reason::shared_pointer;
  } else {
    using Target = typename T::element_type;
    if constexpr (std::is_same_v<T, std::unique_ptr<Target[]>>) {
      return Reason::array_pointer;
    } else if constexpr (!std::is_same_v<T, std::unique_ptr<Target>>) {
      return Reason::deleter;
    } else if constexpr (!requires { sizeof(Target); }) {
      return Reason::opaque;  // declared here, and defined elsewhere
    } else {
      return std::is_polymorphic_v<Target> ? Shape(Reason::polymorphic_pointer) : Shape(Way::owner);
    }
  }
}

// Of a class of the standard library; opaque when it is none that brood knows.
template <typename T>
consteval Shape shape_of_standard() {
  if constexpr (is_reference_wrapper<T>)
    return Reason::reference;
  else if constexpr (View<T>)
    return Reason::view;
  else if constexpr (Function<T>)
    return Reason::function;
  else if constexpr (is_shared_pointer<T> || is_unique_pointer<T>)
    return shape_of_pointer<T>();
  else if constexpr (Text<T>)
    return Way::text;
  else if constexpr (Vector<T>)
    return Way::vector;
  else if constexpr (is_array<T>)
    return Way::array;
  else if constexpr (Product<T>)
    return Way::product;
  else if constexpr (Optional<T>)
    return Way::optional;
  else if constexpr (Variant<T>)
    return Way::variant;
  else if constexpr (is_time<T> || Complex<T> || Calendar<T>)
    return Way::plain;
  else if constexpr (Path<T>)
    return Way::path;
  else if constexpr (Bitset<T>)
    return Way::bitset;
  else if constexpr (Valarray<T>)
    return Way::valarray;
  else if constexpr (!has_stateless_order<T>())
    return Reason::stateful_order;
  else if constexpr (Keyed<T>)
    return Way::keyed;
  else if constexpr (Sequence<T>)
    return Way::sequence;
  else if constexpr (Adapter<T>)
    return Way::adapter;
  else
    return Reason::opaque;
}

template <typename T>
consteval Shape shape_of_aggregate() {
  if constexpr (std::is_union_v<T>) {
    return Reason::a_union;
  } else if constexpr (std::is_empty_v<T> && std::is_trivially_copyable_v<T> &&
                       std::default_initializable<T>) {
    return Way::blank;
  } else {
    switch (trouble_with_fields<T>()) {
      case Trouble::none: return Way::aggregate;
      case Trouble::not_aggregate: return Reason::opaque;
      case Trouble::base_class: return Reason::base_class;
      case Trouble::reference: return Reason::reference;
      case Trouble::uncountable: return Reason::too_many_fields;
    }
  }
}

// The user's functions are private, so the type has befriended cereal::access,
// which then may use a private default constructor too.
template <typename T>
inline constexpr bool has_private_hook =
    (cereal::traits::has_member_serialize<T, InArchive>::value &&
     !requires(T& value, InArchive& archive) { value.CEREAL_SERIALIZE_FUNCTION_NAME(archive); }) ||
    (cereal::traits::has_member_load<T, InArchive>::value &&
     !requires(T& value, InArchive& archive) { value.CEREAL_LOAD_FUNCTION_NAME(archive); });

// Of any class. A user's own functions go before what brood would do by itself.
template <typename T>
consteval Shape shape_of_class() {
  if constexpr (Std<T>) {
    constexpr Shape standard = shape_of_standard<T>();
    if constexpr (standard.reason != Reason::opaque) return standard;
  }
  if constexpr (std::is_abstract_v<T>) {
    return Reason::opaque;
  } else if constexpr (has_save<T> && has_load<T>) {
    return std::is_default_constructible_v<T> || has_private_hook<T> ? Shape(Way::hook)
                                                                     : Shape(Reason::no_default);
  } else if constexpr (has_save<T> || has_load<T>) {
    return Reason::half_hook;
  } else {
    return shape_of_aggregate<T>();
  }
}

template <typename T>
consteval Shape find_shape() {
  if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T> || is_wide<T>) {
    return Way::scalar;
  } else if constexpr (std::is_reference_v<T>) {
    return Reason::reference;
  } else if constexpr (std::is_pointer_v<T> || std::is_member_pointer_v<T> ||
                       std::is_null_pointer_v<T> || std::is_function_v<T>) {
    return Reason::raw_pointer;
  } else if constexpr (std::is_bounded_array_v<T>) {
    return Way::array;
  } else if constexpr (std::is_class_v<T> || std::is_union_v<T>) {
    return shape_of_class<T>();
  } else {
    return Reason::opaque;
  }
}

template <typename T>
inline constexpr Shape shape_of = find_shape<T>();
template <typename T>
inline constexpr Way way_of = shape_of<T>.way;

}  // namespace brood::wire::shape
