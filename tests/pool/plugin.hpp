// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include <brood/brood.hpp>

// What a library offers that the test opens at run time.
namespace brood::testing {

struct Plugin {
  int (*twice)(int);
  int (*prepared)();
  void (*prepare)(int);
  // Sends a lambda of its own, so that what the worker runs first is the library's.
  std::vector<int> (*cubes)(Pool&, const std::vector<int>&);
  int (*seven)(Pool&);
  // A pool whose initializer is the library's.
  int (*sum_in_prepared_pool)(const PoolOptions&);
};

}  // namespace brood::testing
