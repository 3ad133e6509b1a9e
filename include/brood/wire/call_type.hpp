// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <brood/wire/argument.hpp>
#include <brood/wire/callable.hpp>
#include <brood/wire/encode.hpp>
#include <brood/wire/signature.hpp>

// What the compiler can know of a call before it is made: its result, and why it
// can't be made.
namespace brood::wire {

// Stands for the result of a call that can't be, so that the one sentence which
// says why is the only error.
struct NoResult {
  template <typename T>
  operator T() const;
};

namespace detail {

// A task is called as its target is, with more arguments, so that bound values
// too are read in place.
template <typename F, typename... Args>
struct Flat {
  using Target = F;
  using List = TypeList<Args...>;
};
template <typename F, typename... Bound, typename... Args>
struct Flat<Task<F, Bound...>, Args...> : Flat<F, Bound..., Args...> {};
template <typename F, typename... Args>
struct Flat<Values<F>, Args...> : Flat<F, Args...> {};
template <typename F, typename... Args>
struct Flat<Local<F>, Args...> : Flat<F, Args...> {};

// How a target may be called, the first that fits. `shared` promises that the
// call changes nothing, so that the target serves for the next one too.
enum class CallAs { shared, lvalue, rvalue, none };

template <typename Target, typename... Given>
consteval CallAs call_as() {
  if (std::is_invocable_v<const Target&, Given...>) return CallAs::shared;
  if (std::is_invocable_v<Target&, Given...>) return CallAs::lvalue;
  if (std::is_invocable_v<Target, Given...>) return CallAs::rvalue;
  return CallAs::none;
}

template <typename Target, CallAs as>
using Called = std::conditional_t<as == CallAs::shared, const Target&,
                                  std::conditional_t<as == CallAs::lvalue, Target&, Target&&>>;

template <CallAs as, typename Target, typename... Given>
struct ResultOf {
  using type = std::decay_t<std::invoke_result_t<Called<Target, as>, Given...>>;
};
template <typename Target, typename... Given>
struct ResultOf<CallAs::none, Target, Given...> {
  using type = NoResult;
};

template <typename T>
inline constexpr bool is_data_pointer =
    std::is_pointer_v<std::remove_cvref_t<T>> &&
    !std::is_function_v<std::remove_pointer_t<std::remove_cvref_t<T>>>;

enum class Problem { none, mutable_reference, mutable_span, pointer, other };

template <typename T>
inline constexpr bool is_mutable_span = false;
template <typename T, std::size_t Extent>
inline constexpr bool is_mutable_span<std::span<T, Extent>> = !std::is_const_v<T>;

template <typename Target, typename Parameters, typename... Values>
struct ProblemOf;

template <typename Target, typename... Parameters, typename... Values>
struct ProblemOf<Target, TypeList<Parameters...>, Values...> {
  static consteval Problem find() {
    if ((is_mutable_reference<Parameters> || ...)) return Problem::mutable_reference;
    if ((is_mutable_span<std::remove_cvref_t<Parameters>> || ...)) return Problem::mutable_span;
    if ((is_data_pointer<Parameters> || ...)) return Problem::pointer;
    // `auto&` takes what has a name, and nothing else.
    if (!has_known_signature_v<Target> && std::is_invocable_v<Target&, Values&...>) {
      return Problem::mutable_reference;
    }
    return Problem::other;
  }
};

// The call of `Target` with arguments of the transport types `Values`.
template <typename Target, typename List, typename Indices = std::make_index_sequence<List::size>>
struct CallOf;

template <typename Target, typename... Values, std::size_t... I>
struct CallOf<Target, TypeList<Values...>, std::index_sequence<I...>> {
  // How each argument is kept, and what the target is given of it.
  using Arguments = std::tuple<Argument<parameter_t<I, Target>, Values>...>;
  static constexpr CallAs as =
      call_as<Target,
              decltype(std::declval<Argument<parameter_t<I, Target>, Values>&>().give())...>();
  using Result = typename ResultOf<
      as, Target,
      decltype(std::declval<Argument<parameter_t<I, Target>, Values>&>().give())...>::type;

  static consteval Problem problem() {
    if constexpr (as != CallAs::none) {
      return Problem::none;
    } else {
      return ProblemOf<Target, typename signature_of<Target>::parameters, Values...>::find();
    }
  }
};

template <typename F, typename... Args>
struct CallOfUser {
  using Flattened = Flat<std::decay_t<F>, transport_t<Args>...>;
  using Call = CallOf<typename Flattened::Target, typename Flattened::List>;
};

template <typename F, typename... Args>
using call_of = typename CallOfUser<F, Args...>::Call;

template <typename List>
struct First {
  using type = void;
};
template <typename T, typename... Rest>
struct First<TypeList<T, Rest...>> {
  using type = transport_t<T>;
};
template <typename... Rest>
struct First<TypeList<void, Rest...>> {
  using type = void;
};

}  // namespace detail

// The type in which the first argument of f travels, or void where the signature
// isn't known or has none.
template <typename F>
using first_parameter_t = typename detail::First<typename signature_of<F>::parameters>::type;

// What f returns for arguments of these types, decayed. NoResult when it can't be
// called with them.
template <typename F, typename... Args>
using call_result_t = typename detail::call_of<F, Args...>::Result;

template <typename F, typename... Args>
concept CanCall = detail::call_of<F, Args...>::as != detail::CallAs::none;

// Fails to compile, in one sentence, where CanCall does not hold.
template <typename F, typename... Args>
consteval bool require_callable() {
  using detail::Problem;
  constexpr Problem problem = detail::call_of<F, Args...>::problem();
  static_assert(problem != Problem::mutable_reference,
                "brood: this function cannot be called in a worker: a parameter of type T& would "
                "change a copy in the worker, not the caller's object; take it by value or const& "
                "and return the new value instead");
  static_assert(
      problem != Problem::mutable_span,
      "brood: this function cannot be called in a worker: a parameter of type "
      "std::span<T> would change a copy in the worker; take std::span<const T> and return "
      "the new values instead");
  static_assert(problem != Problem::pointer,
                "brood: this function cannot be called in a worker: a parameter that is a raw "
                "pointer would point into another process's memory; take a value, std::string_view "
                "or std::span<const T> instead");
  static_assert(problem != Problem::other,
                "brood: this function cannot be called with these arguments: their number or types "
                "do not fit its parameters (arguments travel as values of their decayed types, "
                "literals as std::string)");
  return problem == Problem::none;
}

// All that must hold before a call may be encoded; each in its own sentence.
template <typename F, typename... Args>
consteval bool require_call() {
  if constexpr (!require_shippable_callable<F>()) {
    return false;
  } else if constexpr (!(require_encodable_argument<Args>() && ...)) {
    return false;
  } else if constexpr (!require_callable<F, Args...>()) {
    return false;
  } else {
    return require_encodable_result<call_result_t<F, Args...>>();
  }
}

}  // namespace brood::wire
