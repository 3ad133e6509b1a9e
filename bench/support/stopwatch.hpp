// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

namespace bench {

// The monotonic clock, which all processes of a machine share.
inline std::int64_t now_ns() noexcept {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

// How many seconds the work takes.
template <typename Work>
double seconds(Work&& work) {
  const std::int64_t begin = now_ns();
  std::forward<Work>(work)();
  return static_cast<double>(now_ns() - begin) / 1e9;
}

// Makes the compiler believe that the value is used.
template <typename Value>
void keep(Value& value) noexcept {
  asm volatile("" : : "g"(&value) : "memory");
}

}  // namespace bench
