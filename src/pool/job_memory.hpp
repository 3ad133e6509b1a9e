// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace brood::detail {

// Memory for jobs, of which a program may have millions for a moment: taken by
// moving a mark through a block, given back by counting down. A block of eight KiB
// serves again when all that lay in it is gone; so a job that is kept for long may
// keep one from that, and a program that calls again and again needs no memory anew.
//
// Safety: any thread. What one thread took another may give back.
class JobMemory {
 public:
  // Throws: std::bad_alloc.
  static void* allocate(std::size_t size);
  static void free(void* memory, std::size_t size) noexcept;
};

}  // namespace brood::detail
