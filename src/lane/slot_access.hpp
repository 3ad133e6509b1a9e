// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "lane/layout.hpp"

// How the parent touches a slot.
namespace brood::lane {

// So many places ahead a slot is asked for, whose worker had it last.
inline constexpr std::size_t soon = 4;

// Those lines of a slot that a small task needs.
inline void prefetch_to_write(const Slot& slot) noexcept {
  __builtin_prefetch(&slot.word, 1);
  __builtin_prefetch(&slot.image, 1);
  __builtin_prefetch(slot.inline_area, 1);
}

// Once, whatever the compiler would like: the worker may write between two reads.
template <typename Field>
Field read_once(const Field& field) noexcept {
  return *const_cast<const volatile Field*>(&field);
}

}  // namespace brood::lane
