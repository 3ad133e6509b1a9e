// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "os/memory.hpp"

namespace brood::lane {

// What one side reads of the memory in which the other sends large values. That uses the same
// again and again; what comes for the second time stays mapped, as to find all pages again
// takes as long as a copy.
//
// Safety: one thread at a time.
class KeptMappings {
 public:
  static constexpr std::size_t most_kept = 2;
  using Kept = std::array<os::Mapping, most_kept>;
  // Whether a child that is forked has them too.
  enum class InForks : bool { no, yes };

  explicit KeptMappings(InForks in_forks) noexcept : in_forks_(in_forks) {}

  // The first bytes of that memory, where they lie; whoever sent it may change them. Nothing
  // where it hasn't been here before. Requires: it holds as much, and can't be made smaller.
  // Throws: SystemError.
  std::span<const std::byte> find(int memory, std::size_t size);
  bool is_empty() const noexcept;
  // All that is kept.
  Kept forget() noexcept;

 private:
  struct Seen {
    std::uint64_t number = 0;
    os::Mapping mapping;
  };
  const InForks in_forks_;
  // The one that was seen last stands last.
  std::array<Seen, most_kept> seen_;
};

}  // namespace brood::lane
