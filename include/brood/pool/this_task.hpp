// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include <brood/base/export.hpp>
#include <brood/pool/job_id.hpp>

namespace brood {

// Asks whether the task was cancelled; see this_task::stop_token. A value, good
// for as long as the task runs.
class BROOD_EXPORT StopToken {
 public:
  // A long task looks here now and then, and returns when it's true: what it
  // returns is dropped, and its worker lives on. Never true outside a task.
  bool stop_requested() const noexcept;
};

// What a function may know of the task that it is. Outside a task: no stop, an
// id that names nothing, 0.
namespace this_task {

BROOD_EXPORT StopToken stop_token() noexcept;
BROOD_EXPORT JobId id() noexcept;
// The item's place in its map; 0 for a single call.
BROOD_EXPORT std::size_t index() noexcept;
// A number to seed a random generator with: another for each item, the same in
// every run that submits the same tasks in the same order, whatever the number
// of workers. By the splitmix64 finalizer (Steele, Lea, Flood: Fast Splittable
// Pseudorandom Number Generators, OOPSLA 2014).
BROOD_EXPORT std::uint64_t seed() noexcept;
// Tells how far the task is: `done` of `total`, in units of its own.
BROOD_EXPORT void progress(std::uint64_t done, std::uint64_t total) noexcept;

}  // namespace this_task
}  // namespace brood
