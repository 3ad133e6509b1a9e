// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <brood/wire/encode.hpp>
#include <brood/wire/signature.hpp>

namespace brood {
namespace wire {

// A callable and its first arguments. Made by brood::task.
template <typename F, typename... Bound>
class Task {
 public:
  explicit Task(F f, Bound... bound) : f_(std::move(f)), bound_(std::move(bound)...) {}

  const F& target() const noexcept { return f_; }
  const std::tuple<Bound...>& bound() const noexcept { return bound_; }

  // Calls it here: the bound values first. They are copied for the call, unless
  // the task itself is given up; then f is too, where it wants to be.
  template <typename... Args>
    requires std::is_invocable_v<F&, Bound..., Args...>
  auto operator()(Args&&... args) && -> std::decay_t<std::invoke_result_t<F&, Bound..., Args...>> {
    return call(f_, std::forward<Args>(args)...);
  }
  template <typename... Args>
    requires(!std::is_invocable_v<F&, Bound..., Args...> &&
             std::is_invocable_v<F, Bound..., Args...>)
  auto operator()(Args&&... args) && -> std::decay_t<std::invoke_result_t<F, Bound..., Args...>> {
    return call(std::move(f_), std::forward<Args>(args)...);
  }
  template <typename... Args>
    requires((std::is_invocable_v<F&, Bound..., Args...> ||
              std::is_invocable_v<F, Bound..., Args...>) &&
             std::is_copy_constructible_v<F> && (std::is_copy_constructible_v<Bound> && ...))
  auto operator()(Args&&... args) const& {
    return Task(*this)(std::forward<Args>(args)...);
  }

  // Calls it for its effect alone: what f returns may be anything.
  void run() && {
    if constexpr (std::is_invocable_v<F&, Bound...>) {
      static_cast<void>(call(f_));
    } else {
      static_cast<void>(call(std::move(f_)));
    }
  }

 private:
  template <typename Called, typename... Args>
  decltype(auto) call(Called&& f, Args&&... args) {
    return std::apply(
        [&](Bound&... bound) -> decltype(auto) {
          return std::invoke(std::forward<Called>(f), std::move(bound)...,
                             std::forward<Args>(args)...);
        },
        bound_);
  }

  F f_;
  std::tuple<Bound...> bound_;
};

namespace detail {

// A callable, called as it would be itself.
template <typename F>
class Wrapped {
 public:
  explicit Wrapped(F f) : f_(std::move(f)) {}

  const F& target() const noexcept { return f_; }

  template <typename... Args>
    requires std::is_invocable_v<F&, Args...>
  decltype(auto) operator()(Args&&... args) {
    return std::invoke(f_, std::forward<Args>(args)...);
  }
  template <typename... Args>
    requires std::is_invocable_v<const F&, Args...>
  decltype(auto) operator()(Args&&... args) const {
    return std::invoke(f_, std::forward<Args>(args)...);
  }

 private:
  F f_;
};

}  // namespace detail

// Vouches for captures. Made by brood::values.
template <typename F>
class Values : public detail::Wrapped<F> {
  using detail::Wrapped<F>::Wrapped;
};

// Stays in this process. Made by brood::local.
template <typename F>
class Local : public detail::Wrapped<F> {
  using detail::Wrapped<F>::Wrapped;
};

// The parameters that are left for the caller.
template <typename F, typename... Bound>
  requires has_known_signature_v<F>
struct SignatureOf<Task<F, Bound...>> : SignatureOf<F> {
  using parameters =
      typename detail::Drop<sizeof...(Bound), typename SignatureOf<F>::parameters>::type;
};
template <typename F>
struct SignatureOf<Values<F>> : SignatureOf<F> {};
template <typename F>
struct SignatureOf<Local<F>> : SignatureOf<F> {};

}  // namespace wire

// Binds values to f's first parameters, to be called with the rest (none, for an
// initializer). They travel as arguments do: a literal as a string, a span as a
// vector. f may be any callable that can travel, another task too.
template <typename F, typename... Args>
auto task(F&& f, Args&&... args) {
  return wire::Task<std::decay_t<F>, wire::transport_t<Args>...>(
      std::forward<F>(f), wire::to_transport(std::forward<Args>(args))...);
}

// f as it is, though a captured value looks like a pointer into this process.
// Requires: what f captured means the same in a worker, whose memory is another.
template <typename F>
auto values(F&& f) {
  return wire::Values<std::decay_t<F>>(std::forward<F>(f));
}

// Any callable, with any captures, for workers that are this process's threads
// (Context::thread) or its forks (a Process of Context::fork). Elsewhere
// submitting it throws ShipError.
template <typename F>
auto local(F&& f) {
  return wire::Local<std::decay_t<F>>(std::forward<F>(f));
}

}  // namespace brood
