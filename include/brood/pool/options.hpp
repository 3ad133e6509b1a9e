// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include <brood/base/context.hpp>
#include <brood/base/count.hpp>
#include <brood/base/timeout.hpp>
#include <brood/wire/erased_call.hpp>

namespace brood {

// Where the workers of a pool run.
//   anywhere    where the kernel likes, as the program does
//   cores       each on one core, with all its hardware threads
//   numa_nodes  each on the CPUs of one NUMA node, with its memory there if possible
// The first workers are as far from each other as can be: spread over packages, within
// them over caches, within those over cores. Workers that are more than there are cores,
// or nodes, begin again with the first. Only the CPUs count which the thread that makes
// the pool may use. A replacement takes its predecessor's place, and what a worker
// starts runs there too. Needs hwloc (libhwloc15), else ContextError.
enum class Placement { anywhere, cores, numa_nodes };

// How a Pool is to be. Every field has a default.
struct PoolOptions {
  // Workers. Default: what brood::cpu_count() says, or the environment variable
  // BROOD_PROCESSES. In a task of another pool: that, divided by the other pool's
  // workers (1 at least), so that pools in pools do not ask for more than there is.
  Count processes{};
  // Runs once in every worker before its first task: a plain callable, or
  // brood::task(f, values...). What it throws breaks the pool (BrokenPool).
  wire::ErasedCall initializer{};
  // Runs once in the pool's own nursery, of which all its workers are
  // copy-on-write copies. Making the pool waits for it. In Context::thread it
  // runs once before the first worker.
  wire::ErasedCall preload{};
  // Calls after which a worker is replaced. Default: never.
  Count maxtasksperchild{};
  Context context = Context::forkserver;
  // Bytes that each worker may add to what it was born with, 4 MiB at least. A task
  // that wants more gets std::bad_alloc or MemoryLimitExceeded, and one that leaves
  // more than half of it behind has its worker replaced. Default: no limit.
  Count memory_limit{};
  // Seen in error messages and, shortened, in process lists.
  std::string name{};
  Placement placement = Placement::anywhere;
  // Steps of niceness (nice(1)) beyond that of the thread which makes the pool, from
  // -20 to 19: the more, the later its workers' turn. Less than 0 needs a permission,
  // else SystemError. Default: a process is as nice as what it's a copy of, a thread as
  // who starts it. On Linux each thread has a niceness of its own, so that in
  // Context::thread this changes the pool's threads alone.
  Count priority{};
};

namespace detail {

template <typename Result>
struct CallbackOf {
  using type = std::function<void(const Result&)>;
};
template <>
struct CallbackOf<void> {
  using type = std::function<void()>;
};
template <typename Result>
using callback_t = typename CallbackOf<Result>::type;

template <typename Result>
struct ListOf {
  using type = std::vector<Result>;
};
template <>
struct ListOf<void> {
  using type = void;
};
// What a map of calls that return Result returns.
template <typename Result>
using list_t = typename ListOf<Result>::type;

}  // namespace detail

// How one call is to be; Result is what it returns.
template <typename Result = void>
struct ApplyOptions {
  // From the start of its execution; past it its worker is killed and the result
  // is TaskTimeout.
  Timeout timeout{};
  // How often it may be run again when its worker crashed.
  Count retries{};
  // Called with the value on the pool's callback thread; takes nothing for void.
  detail::callback_t<Result> callback{};
  // Called with the error there.
  std::function<void(std::exception_ptr)> error_callback{};
};

// What a map does with items that failed.
enum class Errors {
  raise,    // throw the first one's error, in the order of the input
  collect,  // one Outcome an item; of map_outcomes only
};

// How a map is to be; Result is what one item's call returns.
template <typename Result = void>
struct MapOptions {
  // Items handed to a worker at a time. Default: by measured time.
  Count chunksize{};
  // Of each item, from the start of its execution.
  Timeout timeout{};
  Count retries{};
  // Draws a progress bar on stderr, where that is a terminal.
  bool progress = false;
  // Called once, with all values, on the pool's callback thread.
  detail::callback_t<detail::list_t<Result>> callback{};
  std::function<void(std::exception_ptr)> error_callback{};
  Errors errors = Errors::raise;
};

}  // namespace brood
