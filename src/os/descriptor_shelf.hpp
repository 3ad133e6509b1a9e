// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "os/unique_fd.hpp"

namespace brood::os {

// The upper part of a process's table of descriptors, for those that its copies are not to
// have. A copy that was made with a shared table leaves them behind in one step, however
// many there are. Of a table that is its own it would have to close each, which takes as
// long again as the copying did: some 30 us for 500.
class DescriptorShelf {
 public:
  // Begins above those, with room for what copies are given. It's no use where the kernel
  // does not know how to leave it (Linux has since 5.9), nor without stdin, stdout or stderr.
  explicit DescriptorShelf(std::span<const int> own) noexcept;

  // The same description under a number of the shelf, if there's one left.
  UniqueFd put(UniqueFd descriptor) const noexcept;
  // Whether a copy may be made with a shared table that is to keep those.
  bool can_be_left_with(std::span<const UniqueFd> kept) const noexcept;
  // In such a copy, before it closes anything: it has a table of its own from here, with
  // what is not on the shelf.
  void leave() const noexcept;

 private:
  unsigned first_ = 0;
  bool can_be_left_ = false;
};

}  // namespace brood::os
