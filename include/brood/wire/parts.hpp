// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>
#include <utility>

#include <brood/wire/fields.hpp>
#include <brood/wire/shape.hpp>
#include <brood/wire/standard.hpp>

namespace brood::wire::shape {

// The types of what a T holds, one level down.
template <typename T, Way = way_of<T>>
struct PartsOf {
  using type = Types<>;
};
template <typename T>
struct PartsOf<T, Way::vector> {
  using type = Types<typename T::value_type>;
};
template <typename T>
struct PartsOf<T, Way::sequence> : PartsOf<T, Way::vector> {};
template <typename T>
struct PartsOf<T, Way::optional> : PartsOf<T, Way::vector> {};
template <typename T>
struct PartsOf<T, Way::valarray> : PartsOf<T, Way::vector> {};
template <typename T>
struct PartsOf<T, Way::keyed> {
  using type = Types<typename T::key_type>;
};
template <Map T>
struct PartsOf<T, Way::keyed> {
  using type = Types<typename T::key_type, typename T::mapped_type>;
};
template <typename T>
struct PartsOf<T, Way::array> {
  using type = Types<std::remove_cvref_t<decltype(std::declval<T&>()[0])>>;
};
template <template <typename...> typename Template, typename... A>
struct PartsOf<Template<A...>, Way::product> {
  using type = Types<A...>;
};
template <template <typename...> typename Template, typename... A>
struct PartsOf<Template<A...>, Way::variant> {
  using type = Types<A...>;
};
template <typename T>
struct PartsOf<T, Way::owner> {
  using type = Types<typename T::element_type>;
};
template <typename T>
struct PartsOf<T, Way::adapter> {
  using type = Types<typename T::container_type>;
};
template <typename T>
struct PartsOf<T, Way::aggregate> {
  using type = FieldsOf<T>;
};
template <typename T>
  requires requires { typename T::rep; } || Complex<T>
struct PartsOf<T, Way::plain> {
  using type = Types<decltype([] {
    if constexpr (Complex<T>)
      return typename T::value_type{};
    else
      return typename T::rep{};
  }())>;
};

template <typename T>
using parts_of = typename PartsOf<T>::type;

}  // namespace brood::wire::shape
