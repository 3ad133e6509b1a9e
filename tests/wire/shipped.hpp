// SPDX-License-Identifier: MIT
#pragma once

#include <brood/wire/callable.hpp>

#include <stdexcept>
#include <type_traits>
#include <utility>

namespace brood::wire {

// The callable that arrives. Nothing of the message may be left over.
template <typename F>
std::decay_t<F> shipped(const F& f) {
  using Callable = std::decay_t<F>;
  Buffer out;
  encode_callable<Callable>(out, f);
  Reader in(out.view());
  Callable arrived = decode_callable<Callable>(in);
  if (!in.at_end()) throw std::logic_error("decode_callable left bytes over");
  return arrived;
}

}  // namespace brood::wire
