// SPDX-License-Identifier: MIT
#include "pool/placement.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>

#include <brood/base/error.hpp>

namespace brood::detail {
namespace {

using Part = os::Topology::Part;
using Parts = std::vector<Part>;

Parts with_allowed_cpus(const Parts& parts, std::span<const unsigned> allowed) {
  Parts left;
  for (Part part : parts) {
    std::erase_if(part.cpus, [&](unsigned cpu) {
      return !std::binary_search(allowed.begin(), allowed.end(), cpu);
    });
    if (!part.cpus.empty()) left.push_back(std::move(part));
  }
  return left;
}

// In an order of which each beginning is spread as evenly as can be over what lies
// below `level`, and so on downwards: of each of that level's branches the first,
// then of each the second.
// Requires: no path is the beginning of another.
Parts spread(Parts parts, std::size_t level) {
  if (parts.size() < 2) return parts;
  std::vector<Parts> branches;
  for (Part& part : parts) {
    const auto same = std::find_if(branches.begin(), branches.end(), [&](const Parts& branch) {
      return branch.front().path[level] == part.path[level];
    });
    Parts& branch = same == branches.end() ? branches.emplace_back() : *same;
    branch.push_back(std::move(part));
  }
  for (Parts& branch : branches) branch = spread(std::move(branch), level + 1);
  Parts ordered;
  for (std::size_t turn = 0; ordered.size() < parts.size(); ++turn) {
    for (Parts& branch : branches) {
      if (turn < branch.size()) ordered.push_back(std::move(branch[turn]));
    }
  }
  return ordered;
}

// How many have each.
std::vector<std::size_t> use_of(std::size_t places, std::span<const std::size_t> taken) {
  std::vector<std::size_t> use(places);
  for (const std::size_t place : taken) {
    if (place < places) ++use[place];
  }
  return use;
}

}  // namespace

std::vector<os::Place> places_on(const os::Topology& machine, Placement placement,
                                 std::span<const unsigned> allowed) {
  std::vector<os::Place> places;
  if (placement == Placement::anywhere) return places;
  const bool on_nodes = placement == Placement::numa_nodes;
  for (Part& part :
       spread(with_allowed_cpus(on_nodes ? machine.nodes : machine.cores, allowed), 0)) {
    os::Place& place = places.emplace_back();
    place.cpus = std::move(part.cpus);
    if (on_nodes) place.node = part.number;
  }
  return places;
}

std::vector<os::Place> places_for(const PoolOptions& options) {
  if (options.placement == Placement::anywhere) return {};
  auto places = places_on(os::machine_topology(), options.placement, os::allowed_cpus());
  if (places.empty()) {
    throw ContextError(
        "cannot place workers: the system doesn't say which CPUs there are; leave .placement out");
  }
  return places;
}

bool are_used_evenly(std::size_t places, std::span<const std::size_t> taken) {
  const auto use = use_of(places, taken);
  const auto [least, most] = std::minmax_element(use.begin(), use.end());
  return use.empty() || *most <= *least + 1;
}

std::size_t free_place(std::size_t places, std::span<const std::size_t> taken) {
  const auto use = use_of(places, taken);
  return static_cast<std::size_t>(
      std::distance(use.begin(), std::min_element(use.begin(), use.end())));
}

// Of each place the first comes in the first round, the second in the second.
std::size_t position_of_newborn(std::size_t places, std::span<const std::size_t> taken,
                                std::size_t place) {
  std::vector<std::size_t> round(places);  // of who has the place next
  for (std::size_t at = 0; at < taken.size(); ++at) {
    if (taken[at] >= places) continue;
    if (round[taken[at]] > round[place]) return at;
    ++round[taken[at]];
  }
  return taken.size();
}

bool is_crowded(std::size_t places, std::span<const std::size_t> taken, std::size_t place) {
  const auto use = use_of(places, taken);
  return place < places && use[place] > *std::min_element(use.begin(), use.end()) + 1;
}

}  // namespace brood::detail
