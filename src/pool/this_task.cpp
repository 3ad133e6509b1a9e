// SPDX-License-Identifier: MIT
#include <brood/pool/this_task.hpp>

#include <utility>

#include "pool/this_task.hpp"

namespace brood {
namespace detail {

constinit thread_local TaskContext* current_task = nullptr;

namespace {

// The increment is 2^64 divided by the golden ratio, as in the paper.
constexpr std::uint64_t splitmix64(std::uint64_t number) noexcept {
  number += 0x9e3779b97f4a7c15;
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
  number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
  return number ^ (number >> 31);
}

}  // namespace

}  // namespace detail

bool StopToken::stop_requested() const noexcept {
  return detail::current_task && detail::current_task->stop_requested();
}

namespace this_task {

StopToken stop_token() noexcept { return {}; }
JobId id() noexcept { return detail::current_task ? detail::current_task->id() : JobId{}; }
std::size_t index() noexcept { return detail::current_task ? detail::current_task->index() : 0; }

std::uint64_t seed() noexcept {
  const auto* const task = detail::current_task;
  if (!task) return 0;
  return detail::splitmix64(detail::splitmix64(task->sequence()) + task->index());
}

void progress(std::uint64_t done, std::uint64_t total) noexcept {
  if (detail::current_task) detail::current_task->report(done, total);
}

}  // namespace this_task
}  // namespace brood
