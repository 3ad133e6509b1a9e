// SPDX-License-Identifier: MIT
#include "pool/placement.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

// Which places a machine has for workers, and who gets which. The machines are hwloc's
// inventions.
namespace brood::detail {
namespace {

using Cpus = std::vector<unsigned>;

Cpus up_to(unsigned end) {
  Cpus all(end);
  std::iota(all.begin(), all.end(), 0U);
  return all;
}

std::vector<Cpus> places(const std::string& machine, Placement placement, const Cpus& allowed) {
  std::vector<Cpus> found;
  for (const auto& place : places_on(os::synthetic_topology(machine), placement, allowed)) {
    found.push_back(place.cpus);
  }
  return found;
}
std::vector<Cpus> cores(const std::string& machine, const Cpus& allowed = up_to(64)) {
  return places(machine, Placement::cores, allowed);
}

TEST(places, are_none_where_workers_may_be_anywhere) {
  EXPECT_TRUE(places("pack:2 core:4 pu:2", Placement::anywhere, up_to(64)).empty());
}

TEST(places, are_cores_with_all_their_hardware_threads) {
  EXPECT_EQ(cores("core:4 pu:1"), (std::vector<Cpus>{{0}, {1}, {2}, {3}}));
  EXPECT_EQ(cores("core:2 pu:4"), (std::vector<Cpus>{{0, 1, 2, 3}, {4, 5, 6, 7}}));
}

TEST(places, alternate_between_packages) {
  EXPECT_EQ(cores("pack:2 core:3 pu:2"),
            (std::vector<Cpus>{{0, 1}, {6, 7}, {2, 3}, {8, 9}, {4, 5}, {10, 11}}));
}

TEST(places, alternate_between_caches_and_nodes_of_a_package) {
  EXPECT_EQ(cores("pack:2 l3:2 core:2 pu:1"),
            (std::vector<Cpus>{{0}, {4}, {2}, {6}, {1}, {5}, {3}, {7}}));
  EXPECT_EQ(cores("pack:2 [numa] l3:2 core:2 pu:1"),
            (std::vector<Cpus>{{0}, {4}, {2}, {6}, {1}, {5}, {3}, {7}}));
}

TEST(places, know_the_kernels_numbers) {
  // As many kernels count: first all cores, then their second threads.
  EXPECT_EQ(cores("pack:1 core:2 pu:2(indexes=0,2,1,3)"), (std::vector<Cpus>{{0, 2}, {1, 3}}));
}

TEST(places, have_no_cpu_that_is_not_allowed) {
  EXPECT_EQ(cores("pack:2 core:3 pu:2", {1, 2, 3, 8}), (std::vector<Cpus>{{1}, {8}, {2, 3}}));
  EXPECT_EQ(cores("pack:2 core:3 pu:2", {0, 2, 4, 11}), (std::vector<Cpus>{{0}, {11}, {2}, {4}}));
  EXPECT_EQ(cores("core:4 pu:1", {2}), (std::vector<Cpus>{{2}}));
  EXPECT_TRUE(cores("core:4 pu:1", {64}).empty());
}

TEST(places, are_nodes_with_their_memory) {
  const auto machine = os::synthetic_topology("pack:2 [numa] core:2 pu:1");
  const auto found = places_on(machine, Placement::numa_nodes, up_to(64));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].cpus, (Cpus{0, 1}));
  EXPECT_EQ(found[0].node, 0U);
  EXPECT_EQ(found[1].cpus, (Cpus{2, 3}));
  EXPECT_EQ(found[1].node, 1U);
  EXPECT_FALSE(places_on(machine, Placement::cores, up_to(64))[0].node.has_value());
}

TEST(places, alternate_between_packages_of_several_nodes) {
  EXPECT_EQ(places("pack:2 group:2 [numa] core:2 pu:1", Placement::numa_nodes, up_to(64)),
            (std::vector<Cpus>{{0, 1}, {4, 5}, {2, 3}, {6, 7}}));
}

TEST(places, count_the_nearest_memory_where_there_is_more) {
  // Two kinds beside the same CPUs, and one beside a whole package.
  EXPECT_EQ(places("pack:2 [numa] [numa] core:2 pu:1", Placement::numa_nodes, up_to(64)),
            (std::vector<Cpus>{{0, 1}, {2, 3}}));
  EXPECT_EQ(places("pack:2 [numa] group:2 [numa] core:1 pu:1", Placement::numa_nodes, up_to(64)),
            (std::vector<Cpus>{{0}, {2}, {1}, {3}}));
}

TEST(places, of_a_machine_with_one_node_are_all_its_cpus) {
  EXPECT_EQ(places("core:3 pu:2", Placement::numa_nodes, {0, 1, 2, 5}),
            (std::vector<Cpus>{{0, 1, 2, 5}}));
}

TEST(places, are_there_on_this_machine) {
  const Cpus allowed = os::allowed_cpus();
  Cpus all;
  for (const auto& place : places_for({.placement = Placement::cores})) {
    all.insert(all.end(), place.cpus.begin(), place.cpus.end());
  }
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, allowed);
  EXPECT_TRUE(places_for({}).empty());
}

TEST(free_place, is_the_first_of_those_that_fewest_have) {
  EXPECT_EQ(free_place(0, std::vector<std::size_t>{}), 0U);
  EXPECT_EQ(free_place(3, std::vector<std::size_t>{}), 0U);
  EXPECT_EQ(free_place(3, std::vector<std::size_t>{0, 2}), 1U);
  EXPECT_EQ(free_place(2, std::vector<std::size_t>{0, 1, 0}), 1U);
  EXPECT_EQ(free_place(2, std::vector<std::size_t>{nowhere, 1, nowhere}), 0U);
}

TEST(is_crowded, compares_a_place_with_the_least_used) {
  const std::vector<std::size_t> taken{0, 0, 0, 1, 1};
  EXPECT_TRUE(is_crowded(2, std::vector<std::size_t>{0, 0, 0, 1}, 0));
  EXPECT_FALSE(is_crowded(2, taken, 0));
  EXPECT_TRUE(is_crowded(3, taken, 1));
  EXPECT_FALSE(is_crowded(0, taken, 0));
}

TEST(are_used_evenly, allows_a_difference_of_one) {
  EXPECT_TRUE(are_used_evenly(0, std::vector<std::size_t>{0, 0, 0}));
  EXPECT_TRUE(are_used_evenly(2, std::vector<std::size_t>{0, 1, 0}));
  EXPECT_TRUE(are_used_evenly(2, std::vector<std::size_t>{0, 1, 0, nowhere}));
  EXPECT_FALSE(are_used_evenly(2, std::vector<std::size_t>{0, 0}));
}

// Whoever ends, in whatever order: the places stay evenly used, also by those who are
// left when the last ones are sent away.
TEST(position_of_newborn, keeps_each_beginning_of_the_order_even) {
  for (const std::size_t places : {1U, 2U, 3U, 5U}) {
    std::vector<std::size_t> taken;
    for (std::size_t i = 0; i < 2 * places + 1; ++i) {
      const std::size_t place = free_place(places, taken);
      EXPECT_EQ(place, i % places);
      EXPECT_EQ(position_of_newborn(places, taken, place), taken.size());
      taken.push_back(place);
    }
    std::size_t next = 1;
    for (int death = 0; death < 500; ++death) {
      next = (next * 1103515245 + 12345) % 2147483648;
      taken.erase(taken.begin() + static_cast<std::ptrdiff_t>(next / 7 % taken.size()));
      const std::size_t place = free_place(places, taken);
      const std::size_t position = position_of_newborn(places, taken, place);
      taken.insert(taken.begin() + static_cast<std::ptrdiff_t>(position), place);
      for (std::size_t end = 0; end <= taken.size(); ++end) {
        ASSERT_TRUE(are_used_evenly(places, std::span(taken).first(end))) << "death " << death;
      }
    }
  }
}

TEST(position_of_newborn, is_the_end_where_there_are_no_places) {
  EXPECT_EQ(position_of_newborn(0, std::vector<std::size_t>{0, 0, 0}, 0), 3U);
  EXPECT_EQ(position_of_newborn(0, std::vector<std::size_t>{0, nowhere, 0}, 0), 3U);
}

}  // namespace
}  // namespace brood::detail
