// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include <brood/pool/options.hpp>

namespace brood::detail {

// Told once for each pool: to count processors is to read a dozen of the kernel's files.
struct PoolSize {
  std::size_t cpus = 1;  // as brood::cpu_count() tells
  // That the options ask for; see PoolOptions::processes.
  std::size_t workers = 1;
  // Pools in tasks share the processors of the outermost one: each worker of a pool
  // has as many for pools of its own as the pool's default size has room for, 1 at
  // least, and that is their default size.
  std::size_t share_of_a_task = 1;
};

// Throws: ValueError for zero and less, and for a BROOD_PROCESSES that is none.
PoolSize pool_size(const PoolOptions& options);
// Said once, at the start of a worker: of the whole process, or of the calling
// thread alone.
void have_share_of_process(std::size_t share) noexcept;
void have_share_of_thread(std::size_t share) noexcept;

// Throws: ValueError for what makes no sense in the options.
void require_sensible(const PoolOptions& options);

// A count that must be 1 at least. Throws: ValueError that names the field.
std::size_t require_positive(Count count, const char* field);

}  // namespace brood::detail
