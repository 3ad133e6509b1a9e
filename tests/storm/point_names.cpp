// SPDX-License-Identifier: MIT
#include <array>
#include <cstddef>
#include <utility>

#include "killer.hpp"
#include "os/kill_point.hpp"

namespace brood::storm {
namespace {

using os::KillPoint;

constexpr std::array<std::pair<KillPoint, const char*>, os::kill_point_count> names{{
    {KillPoint::newborn, "newborn"},
    {KillPoint::newborn_in_group, "newborn_in_group"},
    {KillPoint::newborn_without_descriptors, "newborn_without_descriptors"},
    {KillPoint::newborn_tied, "newborn_tied"},
    {KillPoint::newborn_settled, "newborn_settled"},
    {KillPoint::before_exec, "before_exec"},
    {KillPoint::after_exec, "after_exec"},
    {KillPoint::worker_begins, "worker_begins"},
    {KillPoint::lane_mapped, "lane_mapped"},
    {KillPoint::before_ready, "before_ready"},
    {KillPoint::ready, "ready"},
    {KillPoint::before_claim, "before_claim"},
    {KillPoint::claimed, "claimed"},
    {KillPoint::before_passing_revoked, "before_passing_revoked"},
    {KillPoint::revoked_passed, "revoked_passed"},
    {KillPoint::before_request_arrives, "before_request_arrives"},
    {KillPoint::request_arrived, "request_arrived"},
    {KillPoint::request_mapped, "request_mapped"},
    {KillPoint::before_idle_bell, "before_idle_bell"},
    {KillPoint::marked_asleep, "marked_asleep"},
    {KillPoint::awake, "awake"},
    {KillPoint::before_item, "before_item"},
    {KillPoint::item_begun, "item_begun"},
    {KillPoint::guarded_item_timed, "guarded_item_timed"},
    {KillPoint::guarded_item_begun, "guarded_item_begun"},
    {KillPoint::value_encoded, "value_encoded"},
    {KillPoint::values_counted, "values_counted"},
    {KillPoint::item_ended, "item_ended"},
    {KillPoint::flat_item_begun, "flat_item_begun"},
    {KillPoint::flat_value_made, "flat_value_made"},
    {KillPoint::flat_item_ended, "flat_item_ended"},
    {KillPoint::bundled_call_begun, "bundled_call_begun"},
    {KillPoint::bundled_value_measured, "bundled_value_measured"},
    {KillPoint::bundled_call_ended, "bundled_call_ended"},
    {KillPoint::overflow_memory_made, "overflow_memory_made"},
    {KillPoint::overflow_grown, "overflow_grown"},
    {KillPoint::overflow_moved, "overflow_moved"},
    {KillPoint::overflow_sealed, "overflow_sealed"},
    {KillPoint::thunk_left, "thunk_left"},
    {KillPoint::items_closed, "items_closed"},
    {KillPoint::before_trailer, "before_trailer"},
    {KillPoint::trailer_copied, "trailer_copied"},
    {KillPoint::trailer_sized, "trailer_sized"},
    {KillPoint::before_note_is_sent, "before_note_is_sent"},
    {KillPoint::note_sent, "note_sent"},
    {KillPoint::trailer_set, "trailer_set"},
    {KillPoint::before_done, "before_done"},
    {KillPoint::done, "done"},
    {KillPoint::waiter_woken, "waiter_woken"},
    {KillPoint::bell_rung, "bell_rung"},
    {KillPoint::condemned, "condemned"},
    {KillPoint::leaving, "leaving"},
    {KillPoint::nursery_settled, "nursery_settled"},
    {KillPoint::order_taken, "order_taken"},
    {KillPoint::child_cloned, "child_cloned"},
    {KillPoint::birth_answered, "birth_answered"},
    {KillPoint::child_added, "child_added"},
    {KillPoint::before_preload_report, "before_preload_report"},
    {KillPoint::preload_reported, "preload_reported"},
}};

constexpr bool each_stands_in_its_place() {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (static_cast<std::size_t>(names[i].first) != i || !names[i].second) return false;
  }
  return true;
}
static_assert(each_stands_in_its_place());

}  // namespace

const char* name_of_point(std::size_t index) noexcept { return names[index].second; }

}  // namespace brood::storm
