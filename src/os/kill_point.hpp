// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include <brood/base/kill_point.hpp>

// Who dies at which kill point: a page that a test shares with all processes of
// its program, and that it may write at any time.
namespace brood::os {

using detail::kill_point_count;
using detail::KillPoint;

// Names the file of that page; open to each process in which the points are met.
inline constexpr const char* kill_plan_variable = "BROOD_KILL_PLAN";

struct KillPlan {
  // By the test, before the others of its group: whoever meets `point` for the
  // `countdown`-th time from now, all processes counted, dies there. 0: nobody.
  std::atomic<std::int64_t> countdown;
  std::atomic<std::uint32_t> point;
  // By the test: a worker dies at any point with this probability, times 2^-32.
  std::atomic<std::uint32_t> chance;
  std::atomic<std::uint64_t> seed;

  // By those who meet points, by addition only.
  std::atomic<std::uint64_t> draws;
  std::atomic<std::uint64_t> kills;
  std::array<std::atomic<std::uint64_t>, kill_point_count> met;
  std::array<std::atomic<std::uint64_t>, kill_point_count> killed;
};
static_assert(sizeof(KillPlan) <= 4096);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

// Up to the function that a child was made for, or to a worker's readiness:
// what dies here was never at work.
constexpr bool is_of_birth(KillPoint point) noexcept { return point < KillPoint::ready; }
constexpr bool is_of_nursery(KillPoint point) noexcept {
  return point >= KillPoint::nursery_settled;
}

}  // namespace brood::os
