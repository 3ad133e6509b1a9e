// SPDX-License-Identifier: MIT
//
// A program that calls again and again takes no memory from the heap for it: after its
// first calls there are rounds without any.
#include <atomic>
#include <cstddef>
#include <vector>

#include "pool/facts.hpp"

namespace {

std::atomic<bool> counting{false};
std::atomic<std::size_t> allocations{0};

void count() noexcept {
  if (counting.load(std::memory_order_relaxed)) {
    allocations.fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace

// Before the C library's own, for the whole program.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  count();
  return __libc_malloc(size);
}
void* calloc(std::size_t number, std::size_t size) {
  count();
  return __libc_calloc(number, size);
}
void* realloc(void* memory, std::size_t size) {
  count();
  return __libc_realloc(memory, size);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  count();
  *memory = __libc_memalign(alignment, size);
  return *memory ? 0 : 12;
}
}

namespace brood::testing {
namespace {

int doubled(int x) { return 2 * x; }
void nothing() {}

class Allocations : public Processes {
 protected:
  // In this process, by all its threads.
  template <typename Round>
  static std::size_t of(const Round& round) {
    allocations = 0;
    counting = true;
    for (int i = 0; i < 50; ++i) round();
    counting = false;
    return allocations;
  }
  // What is kept from call to call has to be made once, and what the pool makes behind the
  // first tasks' backs, a nursery to spare, may come late.
  template <typename Round>
  static void expect_that_they_end(const Round& round) {
    eventually([&] { return of(round) == 0; });
  }
};

TEST_P(Allocations, are_seen_at_all) {
  EXPECT_EQ(of([] { ::operator delete(::operator new(1)); }), 50U);
}

TEST_P(Allocations, are_none_for_calls_one_after_another) {
  Pool pool = make_pool(2);
  expect_that_they_end([&] {
    for (int i = 0; i < 100; ++i) pool.apply(doubled, i);
  });
}

TEST_P(Allocations, are_none_for_many_calls_at_once) {
  Pool pool = make_pool(2);
  std::vector<AsyncResult<void>> results;
  results.reserve(400);
  expect_that_they_end([&] {
    for (int i = 0; i < 400; ++i) results.push_back(pool.apply_async(nothing));
    for (auto& result : results) result.get();
    results.clear();
  });
}

INSTANTIATE_TEST_SUITE_P(contexts, Allocations, every_process, name_of);

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
