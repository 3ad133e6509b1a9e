// SPDX-License-Identifier: MIT
#pragma once

#include <brood/wire/decode.hpp>
#include <brood/wire/encode.hpp>

#include <cstddef>
#include <stdexcept>
#include <vector>

namespace brood::wire {

template <typename T>
std::vector<std::byte> bytes_of(const T& value) {
  Buffer out;
  encode(out, value);
  const auto view = out.view();
  return {view.begin(), view.end()};
}

// What arrives. Nothing of the message may be left over.
template <typename T>
T sent(const T& value) {
  Buffer out;
  encode(out, value);
  Reader in(out.view());
  T arrived = decode<T>(in);
  if (!in.at_end()) throw std::logic_error("decode left bytes over");
  return arrived;
}

}  // namespace brood::wire
