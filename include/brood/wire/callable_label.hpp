// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <type_traits>
#include <typeinfo>

#include <brood/base/export.hpp>
#include <brood/wire/callable.hpp>
#include <brood/wire/code_ref.hpp>
#include <brood/wire/reader.hpp>

namespace brood::wire {

// What a callable is called in messages: a function by its own name, anything else
// by its type's.
struct CallableLabel {
  const std::type_info* type;
  CallableKind kind;
};

namespace detail {

// The callable without what task() and values() put around it.
template <typename F>
struct Innermost {
  using Type = F;
};
template <typename F, typename... Bound>
struct Innermost<Task<F, Bound...>> : Innermost<F> {};
template <typename F>
struct Innermost<Values<F>> : Innermost<F> {};

}  // namespace detail

template <typename F>
inline constexpr CallableLabel callable_label{
    &typeid(typename detail::Innermost<std::decay_t<F>>::Type),
    detail::kind<typename detail::Innermost<std::decay_t<F>>::Type>};

// Where the function lies that encode_callable wrote; image 0 where it wrote none,
// or one that is found by the object's own vtable.
BROOD_EXPORT CodeRef code_of(const CallableLabel& label, Reader& in);

// Safety: any thread. Blocks: the first time, some milliseconds.
BROOD_EXPORT std::string name_of(const std::type_info& type, CodeRef code);

}  // namespace brood::wire
