// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace brood::model {

// Words outside of lanes that several fibers touch, and touch as a step.
void share_word(const void* at) noexcept;
bool is_shared_word(const void* at) noexcept;

// A fiber's moves: its successful exchanges, in their order, as one sum. A worker
// knows no more than that whenever it has made one.
void only_moves_matter(unsigned fiber) noexcept;
void note_move(const void* word, std::uint64_t value) noexcept;
std::uint64_t moves_so_far() noexcept;

}  // namespace brood::model
