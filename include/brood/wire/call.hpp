// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <brood/wire/argument.hpp>
#include <brood/wire/call_type.hpp>
#include <brood/wire/callable.hpp>

// Calls to bytes and back, and their execution, in two steps: what the first
// throws is a ShipError of the message, what the second throws is the function's.
namespace brood::wire {

// As transport_t<Arg>, which the reader has to decode.
template <typename Arg>
void encode_argument(Writer& out, Arg&& arg) {
  if constexpr (std::is_same_v<transport_t<Arg>, std::remove_cvref_t<Arg>>) {
    encode(out, arg);
  } else {
    encode(out, to_transport(std::forward<Arg>(arg)));
  }
}

// Requires: require_call<F, Args...>().
// Throws: what encode_callable throws, and what encoding the arguments throws.
template <typename F, typename... Args>
void encode_call(Writer& out, const F& f, Args&&... args) {
  encode_callable<std::decay_t<F>>(out, f);
  (encode_argument(out, std::forward<Args>(args)), ...);
}

namespace detail {

// The callable that is left when tasks and other wrappings are taken off, and the
// bound values, outermost last.
template <typename F>
auto unpacked(F f) {
  return std::tuple<F>(std::move(f));
}
template <typename F, typename... Bound>
auto unpacked(Task<F, Bound...> task);
template <typename F>
auto unpacked(Values<F> values);
template <typename F>
auto unpacked(Local<F> local);

template <typename F, typename... Bound>
auto unpacked(Task<F, Bound...> task) {
  return std::tuple_cat(unpacked(std::move(task).target()), std::move(task).bound());
}
template <typename F>
auto unpacked(Values<F> values) {
  return unpacked(std::move(values).target());
}
template <typename F>
auto unpacked(Local<F> local) {
  return unpacked(std::move(local).target());
}

template <typename F>
auto decode_target(Reader& in) {
  if constexpr (is_local_v<F>) {
    throw_local();
  } else {
    return decode_callable<typename Flat<F>::Target>(in);
  }
}

}  // namespace detail
}  // namespace brood::wire
