// SPDX-License-Identifier: MIT
#pragma once

namespace brood::detail {

// Whether there may be any to forget.
bool has_unused_blocks() noexcept;
// Lets go of others' blocks, and of memory for Views, that no handle in this process
// refers to: to be called when there is nothing to do.
void forget_unused_blocks() noexcept;

}  // namespace brood::detail
