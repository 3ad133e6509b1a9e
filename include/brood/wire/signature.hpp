// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>

// What the type of a callable says about its parameters. Generic lambdas and
// overloaded function objects say nothing: they deduce from the arguments.
namespace brood::wire {

template <typename... Types>
struct TypeList {
  static constexpr std::size_t size = sizeof...(Types);
};

namespace detail {

template <typename Result, typename... Parameters>
struct KnownSignature {
  static constexpr bool known = true;
  using result = Result;
  using parameters = TypeList<Parameters...>;
};

struct UnknownSignature {
  static constexpr bool known = false;
  using parameters = TypeList<>;
};

// The object that a member function is called on is its first parameter. One
// without a reference qualifier can be called on a temporary, as by value.
template <typename Object, typename Method>
struct MethodSignature;

// `Object` is the function's own class, or void where it is the callable itself
// and no parameter.
template <typename Object, typename Result, typename... Parameters>
using MethodOf = std::conditional_t<std::is_void_v<Object>, KnownSignature<Result, Parameters...>,
                                    KnownSignature<Result, Object, Parameters...>>;

template <typename As, typename Wanted>
using IfObject = std::conditional_t<std::is_void_v<Wanted>, void, As>;

// `const` functions don't change the callable, so one copy serves many calls.
template <typename Base, bool Const>
struct Method : Base {
  static constexpr bool is_const = Const;
};

template <typename W, typename C, typename R, typename... P, bool N>
struct MethodSignature<W, R (C::*)(P...) noexcept(N)>
    : Method<MethodOf<IfObject<C, W>, R, P...>, false> {};
template <typename W, typename C, typename R, typename... P, bool N>
struct MethodSignature<W, R (C::*)(P...) const noexcept(N)>
    : Method<MethodOf<IfObject<const C, W>, R, P...>, true> {};
template <typename W, typename C, typename R, typename... P, bool N>
struct MethodSignature<W, R (C::*)(P...) & noexcept(N)>
    : Method<MethodOf<IfObject<C&, W>, R, P...>, false> {};
template <typename W, typename C, typename R, typename... P, bool N>
struct MethodSignature<W, R (C::*)(P...) const & noexcept(N)>
    : Method<MethodOf<IfObject<const C&, W>, R, P...>, true> {};
template <typename W, typename C, typename R, typename... P, bool N>
struct MethodSignature<W, R (C::*)(P...) && noexcept(N)>
    : Method<MethodOf<IfObject<C&&, W>, R, P...>, false> {};
template <typename W, typename C, typename R, typename... P, bool N>
struct MethodSignature<W, R (C::*)(P...) const && noexcept(N)>
    : Method<MethodOf<IfObject<const C&&, W>, R, P...>, true> {};

}  // namespace detail

// known, and where it is: result and parameters (a TypeList).
template <typename F>
struct SignatureOf : detail::UnknownSignature {};

template <typename F>
  requires requires { &F::operator(); }
struct SignatureOf<F> : detail::MethodSignature<void, decltype(&F::operator())> {};

template <typename R, typename... P, bool N>
struct SignatureOf<R (*)(P...) noexcept(N)> : detail::KnownSignature<R, P...> {};

template <typename F>
  requires std::is_member_function_pointer_v<F>
struct SignatureOf<F> : detail::MethodSignature<int, F> {};

template <typename R, typename C>
  requires std::is_object_v<R>
struct SignatureOf<R C::*> : detail::KnownSignature<R, const C> {};

template <typename F>
using signature_of = SignatureOf<std::decay_t<F>>;

template <typename F>
inline constexpr bool has_known_signature_v = signature_of<F>::known;

namespace detail {

template <std::size_t I, typename List, bool = (I < List::size)>
struct ParameterAt {
  using type = void;
};

template <std::size_t I, typename... Types>
struct ParameterAt<I, TypeList<Types...>, true> {
  using type = std::tuple_element_t<I, std::tuple<Types...>>;
};

// Bound arguments come first, so the rest of the parameters is left.
template <std::size_t Count, typename List>
struct Drop;

template <typename... Types>
struct Drop<0, TypeList<Types...>> {
  using type = TypeList<Types...>;
};

template <std::size_t Count>
  requires(Count > 0)
struct Drop<Count, TypeList<>> {
  using type = TypeList<>;
};

template <std::size_t Count, typename First, typename... Rest>
  requires(Count > 0)
struct Drop<Count, TypeList<First, Rest...>> : Drop<Count - 1, TypeList<Rest...>> {};

}  // namespace detail

// The type of parameter I, or void where that isn't known.
template <std::size_t I, typename F>
using parameter_t = typename detail::ParameterAt<I, typename signature_of<F>::parameters>::type;

}  // namespace brood::wire
