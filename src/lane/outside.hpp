// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <brood/base/timeout.hpp>

#include "os/unique_fd.hpp"

// What is too large for a lane travels in sealed memory of its own, whose
// descriptor goes over the lane's channel before the slot says so.
namespace brood::lane {

struct OutsideNote {
  // Of the task that it belongs to. None has position 0: the worker's first note
  // has it, says that it has started, and carries nothing.
  std::uint64_t position = 0;
  std::uint64_t size = 0;
};

// A request as it would lie in the arena: the callable, then at `items_begin`
// the items.
os::UniqueFd copy_outside(std::span<const std::byte> callable, std::span<const std::byte> items,
                          std::size_t items_begin);

// The memory that was sent for that task; what was sent for earlier ones, which
// were revoked, is dropped. Nothing when none comes before the deadline; an empty
// one when this process may have no more descriptors.
std::optional<os::UniqueFd> receive_note(int channel, std::uint64_t position,
                                         const Deadline& deadline);

}  // namespace brood::lane
