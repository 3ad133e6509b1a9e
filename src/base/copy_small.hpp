// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstring>

namespace brood::base {

// As std::memcpy, for what is small as a rule: up to 32 bytes take no call.
inline void copy_small(std::byte* to, const std::byte* from, std::size_t size) noexcept {
  // Both ends; in the middle they overlap.
  const auto ends_of = [&]<std::size_t each>() {
    std::byte first[each];
    std::byte last[each];
    std::memcpy(first, from, each);
    std::memcpy(last, from + size - each, each);
    std::memcpy(to, first, each);
    std::memcpy(to + size - each, last, each);
  };
  if (size > 32) {
    std::memcpy(to, from, size);
  } else if (size >= 16) {
    ends_of.template operator()<16>();
  } else if (size >= 8) {
    ends_of.template operator()<8>();
  } else if (size >= 4) {
    ends_of.template operator()<4>();
  } else if (size != 0) {
    to[0] = from[0];
    to[size / 2] = from[size / 2];
    to[size - 1] = from[size - 1];
  }
}

}  // namespace brood::base
