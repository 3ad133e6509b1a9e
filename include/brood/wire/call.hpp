// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <brood/wire/argument.hpp>
#include <brood/wire/callable.hpp>
#include <brood/wire/signature.hpp>

// One call: what its result is, why it can't be, its bytes, and its execution.
namespace brood::wire {
namespace detail {

// A task is called like its target with more arguments, so that bound values too
// are read in place. `Target` is what is decoded, `Values` what it is called with.
template <typename F, typename... Args>
struct Flat {
  using Target = F;
  using Values = TypeList<Args...>;
  static constexpr std::size_t bound = 0;
};
template <typename F, typename... Bound, typename... Args>
struct Flat<Task<F, Bound...>, Args...> : Flat<F, Bound..., Args...> {
  static constexpr std::size_t bound = sizeof...(Bound) + Flat<F, Bound..., Args...>::bound;
};
template <typename F, typename... Args>
struct Flat<Values<F>, Args...> : Flat<F, Args...> {};
template <typename F, typename... Args>
struct Flat<Local<F>, Args...> : Flat<F, Args...> {};

// The callable itself, without what is around it.
template <typename F>
const F& target_of(const F& f) noexcept {
  return f;
}
template <typename F, typename... Bound>
const auto& target_of(const Task<F, Bound...>& task) noexcept {
  return target_of(task.target());
}
template <typename F>
const auto& target_of(const Wrapped<F>& wrapped) noexcept {
  return target_of(wrapped.target());
}

// The arguments of one target: `arguments` a tuple of Argument, `given` what
// they become when they are handed over.
template <typename Target, typename List, typename = void>
struct Passing;

}  // namespace detail
}  // namespace brood::wire
