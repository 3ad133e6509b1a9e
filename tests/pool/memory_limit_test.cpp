// SPDX-License-Identifier: MIT
//
// Apart from the other tests: a sanitizer's allocator ends the process where
// malloc would say no.
#include <new>
#include <vector>

#include "pool/contexts.hpp"

namespace brood::testing {
namespace {

class MemoryLimit : public Processes {};
INSTANTIATE_TEST_SUITE_P(contexts, MemoryLimit, every_process, name_of);

TEST_P(MemoryLimit, has_malloc_say_no_to_one_task) {
  PoolOptions limited = options(1);
  limited.memory_limit = 64 * MiB;
  Pool pool(limited);
  EXPECT_THROW(pool.apply([] {
    std::vector<std::vector<char>> hoard;
    for (;;) hoard.emplace_back(8 * MiB, 'x');
  }),
               std::bad_alloc);
  EXPECT_EQ(pool.apply([] { return 1; }), 1);
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
