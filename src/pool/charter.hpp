// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "os/place.hpp"
#include "os/unique_fd.hpp"

namespace brood::detail {

// What every worker of a pool is told at its birth. Written once, sealed.
struct Charter {
  // A wire::ErasedCall to run once, if one is given.
  struct Errand {
    std::vector<std::byte> bytes;
    bool given = false;
  };

  std::string pool_name;
  Errand initializer;
  Errand preload;
  std::uint64_t memory_limit = 0;  // bytes, 0: none
  std::uint64_t most_items = 0;    // after which a worker retires, 0: never
  std::uint64_t share = 0;         // the default size of pools that its tasks make
  std::vector<os::Place> places;   // a worker's is that of its order's number, if there's one
  std::optional<int> niceness;

  os::UniqueFd to_memory() const;
  static Charter from_memory(int fd);
};

}  // namespace brood::detail
