// SPDX-License-Identifier: MIT
#include "pool/plugin.hpp"

#include <atomic>

namespace brood::testing {
namespace {

std::atomic<int> setting{0};  // each thread of a pool is prepared

int twice(int number) { return 2 * number; }
int prepared() { return setting; }
void prepare(int value) { setting = value; }

std::vector<int> cubes(Pool& pool, const std::vector<int>& numbers) {
  return pool.map([](int x) { return x * x * x; }, numbers);
}

int seven(Pool& pool) {
  return pool.apply([](int x) { return x + 3; }, 4);
}

int sum_in_prepared_pool(const PoolOptions& options) {
  PoolOptions mine = options;
  mine.initializer = task(prepare, 5);
  Pool pool{mine};
  return pool.apply(prepared);
}

}  // namespace
}  // namespace brood::testing

extern "C" __attribute__((visibility("default"))) const brood::testing::Plugin plugin;
const brood::testing::Plugin plugin{brood::testing::twice,   brood::testing::prepared,
                                    brood::testing::prepare, brood::testing::cubes,
                                    brood::testing::seven,   brood::testing::sum_in_prepared_pool};
