// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <brood/base/timeout.hpp>

#include "os/memory.hpp"
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

// Memory of one worker's large requests, one after another: fresh pages cost several
// times what copying to them does. Whoever is given it can read it only.
class RequestMemory {
 public:
  // A request as it would lie in the arena: the callable, then at `items_begin` the
  // items.
  struct Content {
    std::span<const std::byte> callable;
    std::span<const std::byte> items;
    std::size_t items_begin;

    std::size_t size() const noexcept { return items_begin + items.size(); }
  };

  // None.
  RequestMemory() noexcept = default;
  // Throws: SystemError where there is no memory, or no descriptor.
  explicit RequestMemory(const Content& content);

  int fd() const noexcept { return memory_.get(); }
  explicit operator bool() const noexcept { return static_cast<bool>(mapping_); }
  // Whether the content can take the place of the earlier one, and needs a good part
  // of the room.
  bool fits(const Content& content) const noexcept { return mapping_.suits(content.size()); }
  // Requires: fits, and nobody needs the earlier one any more.
  void fill(const Content& content) noexcept;

 private:
  os::UniqueFd memory_;
  os::Mapping mapping_;
};

// The memory that was sent for that task; what was sent for earlier ones, which
// were revoked, is dropped. Nothing when none comes before the deadline; an empty
// list when this process may have no more descriptors.
std::optional<std::vector<os::UniqueFd>> receive_note(int channel, std::uint64_t position,
                                                      const Deadline& deadline);

}  // namespace brood::lane
