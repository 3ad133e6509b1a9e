// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include <brood/base/export.hpp>

// The instants at which a worker or a nursery can be killed for a test: before or
// after each write to what others read. Nothing at all is compiled unless the
// build has BROOD_KILL_POINTS; then src/os/kill_point.hpp says who dies where.
namespace brood::detail {

enum class KillPoint : std::uint32_t {
  // A child, up to the function that it was made for.
  newborn,
  newborn_in_group,
  newborn_without_descriptors,
  newborn_tied,
  newborn_settled,
  before_exec,
  after_exec,
  // A worker's start.
  worker_begins,
  lane_mapped,
  before_ready,
  ready,
  // A task is taken.
  before_claim,
  claimed,
  before_passing_revoked,
  revoked_passed,
  before_request_arrives,
  request_arrived,
  request_mapped,
  // Nothing to do.
  before_idle_bell,
  marked_asleep,
  awake,
  // Items.
  before_item,
  item_begun,
  guarded_item_timed,
  guarded_item_begun,
  value_encoded,
  values_counted,
  item_ended,
  flat_item_begun,
  flat_value_made,
  flat_item_ended,
  bundled_call_begun,
  bundled_value_measured,
  bundled_call_ended,
  // A value that does not fit.
  overflow_memory_made,
  overflow_grown,
  overflow_moved,
  overflow_sealed,
  // The answer.
  thunk_left,
  items_closed,
  before_trailer,
  trailer_copied,
  trailer_sized,
  before_note_is_sent,
  note_sent,
  trailer_set,
  before_done,
  done,
  waiter_woken,
  bell_rung,
  condemned,
  leaving,
  // The nursery.
  nursery_settled,
  order_taken,
  child_cloned,
  birth_answered,
  child_added,
  before_preload_report,
  preload_reported,
};

inline constexpr std::size_t kill_point_count =
    static_cast<std::size_t>(KillPoint::preload_reported) + 1;

#if defined(BROOD_KILL_POINTS)
// May end this process by SIGKILL.
BROOD_EXPORT void kill_point(KillPoint here) noexcept;
#else
constexpr void kill_point(KillPoint) noexcept {}
#endif

}  // namespace brood::detail
