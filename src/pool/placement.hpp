// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <brood/pool/options.hpp>

#include "os/place.hpp"
#include "os/topology.hpp"

namespace brood::detail {

// The places for the workers of a pool, in the order in which they are taken, with those CPUs of
// the machine that are allowed. None for Placement::anywhere.
std::vector<os::Place> places_on(const os::Topology& machine, Placement placement,
                                 std::span<const unsigned> allowed);
// On this machine, for what the calling thread may use.
// Throws: ContextError where the machine's topology can't be read.
std::vector<os::Place> places_for(const PoolOptions& options);

// What follows takes the places that workers have, in the workers' order; nowhere for those
// that don't count. Places are used evenly where no two differ by more than one worker.
inline constexpr std::size_t nowhere = ~std::size_t{0};

bool are_used_evenly(std::size_t places, std::span<const std::size_t> taken);
// The first of those that fewest have; 0 where there are no places.
std::size_t free_place(std::size_t places, std::span<const std::size_t> taken);
// Where a newborn with this place comes in, so that each beginning of the order uses the places
// evenly: when there are too many workers, those at its end go.
std::size_t position_of_newborn(std::size_t places, std::span<const std::size_t> taken,
                                std::size_t place);
// Whether one of those who have this place had better have another.
bool is_crowded(std::size_t places, std::span<const std::size_t> taken, std::size_t place);

}  // namespace brood::detail
