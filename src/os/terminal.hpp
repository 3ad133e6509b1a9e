// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace brood::os {

// In columns; 0 where the descriptor is no terminal.
std::size_t terminal_width(int fd) noexcept;

}  // namespace brood::os
