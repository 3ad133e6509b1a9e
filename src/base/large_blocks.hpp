// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

// Memory for messages of some size, which other processes can be given to read: what is
// written there needs no second copy on its way to a worker. It serves one message after
// another, since fresh pages cost several times what writing to them does.
//
// Declared on the ground floor, since rooms beside `os` take it; `os` answers.
//
// Safety: any thread. In a copy of the process what the original had is nobody's: it can
// be given back, and not be read.
namespace brood::base {

struct LargeBlock {
  std::byte* begin = nullptr;
  std::size_t size = 0;
};

// At least as large. Nothing where malloc had better be asked: there are many of them
// already, or no memory or descriptor for another.
LargeBlock take_large_block(std::size_t size) noexcept;
// False: it's none.
bool give_back_large_block(std::byte* begin) noexcept;

}  // namespace brood::base
