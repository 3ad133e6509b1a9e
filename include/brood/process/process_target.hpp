// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <brood/base/context.hpp>
#include <brood/base/export.hpp>
#include <brood/wire/call_type.hpp>
#include <brood/wire/erased_call.hpp>
#include <brood/wire/task.hpp>
#include <brood/wire/type_name.hpp>

// What a Process is to run, with its arguments; the type left behind.
namespace brood::detail {

// Throws: ValueError for thread and mpi.
BROOD_EXPORT void require_process_context(Context context);
[[noreturn]] BROOD_EXPORT void throw_stays_here(Context context, const std::string& what);

template <typename F, typename... Args>
inline constexpr bool may_travel =
    wire::is_shippable_callable_v<F> && !wire::is_local_v<F> &&
    (wire::Encodable<wire::transport_t<Args>> && ...) && wire::CanCall<F, Args...>;

// In words, the first that keeps the call from travelling.
template <typename F, typename... Args>
std::string what_stays() {
  const std::string target = "its target (" + wire::type_name<std::decay_t<F>>() + ')';
  if constexpr (!wire::is_shippable_callable_v<F> || wire::is_local_v<F>) {
    return target;
  } else if constexpr ((wire::Encodable<wire::transport_t<Args>> && ...)) {
    return "a parameter (a pointer, or a reference to what it may change) of " + target;
  } else {
    std::string argument;
    const auto look = [&argument]<typename Arg>(std::type_identity<Arg>) {
      if (argument.empty() && !wire::Encodable<wire::transport_t<Arg>>) {
        argument = wire::type_name<std::decay_t<Arg>>();
      }
    };
    (look(std::type_identity<Args>{}), ...);
    return "an argument (" + argument + ')';
  }
}

// A call for a fork, which has all that the program has: kept as it is.
template <typename F, typename... Args>
wire::ErasedCall keep_call(F&& f, Args&&... args) {
  if constexpr (may_travel<F, Args...>) {
    auto bound = task(std::forward<F>(f), std::forward<Args>(args)...);
    return wire::ErasedCall(
        local([bound = std::move(bound)]() mutable { std::move(bound).run(); }));
  } else {
    constexpr bool callable = std::is_invocable_v<std::decay_t<F>, std::decay_t<Args>...>;
    static_assert(callable,
                  "brood: the target of a process cannot be called with these arguments; they are "
                  "copied and handed over as rvalues");
    if constexpr (callable) {
      return wire::ErasedCall(
          local([f = std::decay_t<F>(std::forward<F>(f)),
                 bound = std::tuple<std::decay_t<Args>...>(std::forward<Args>(args)...)]() mutable {
            std::apply(
                [&f](auto&... values) {
                  static_cast<void>(std::invoke(std::move(f), std::move(values)...));
                },
                bound);
          }));
    } else {
      return {};
    }
  }
}

// A call for another copy of the program. What can't be one doesn't compile.
template <typename F, typename... Args>
wire::ErasedCall ship_call(F&& f, Args&&... args) {
  if constexpr (wire::is_local_v<F>) {
    throw_stays_here(Context::forkserver, what_stays<F, Args...>());
  } else if constexpr (!wire::require_shippable_callable<F>()) {
    return {};
  } else if constexpr (!(wire::require_encodable_argument<Args>() && ...)) {
    return {};
  } else if constexpr (!wire::require_callable<F, Args...>()) {
    return {};
  } else {
    return wire::ErasedCall(task(std::forward<F>(f), std::forward<Args>(args)...));
  }
}

// The same where the context is known only at run time: what can't travel throws
// ShipError, unless it need not.
template <typename F, typename... Args>
wire::ErasedCall bind_call(Context context, F&& f, Args&&... args) {
  require_process_context(context);
  if (context == Context::fork) return keep_call(std::forward<F>(f), std::forward<Args>(args)...);
  if constexpr (may_travel<F, Args...>) {
    return ship_call(std::forward<F>(f), std::forward<Args>(args)...);
  } else {
    throw_stays_here(context, what_stays<F, Args...>());
  }
}

}  // namespace brood::detail
