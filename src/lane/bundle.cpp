// SPDX-License-Identifier: MIT
//
// Calls that share a slot, as the parent sees them.
#include <cstring>
#include <utility>

#include "lane/parent_end.hpp"
#include "lane/slot_access.hpp"

namespace brood::lane {

std::optional<std::uint64_t> ParentEnd::give_bundle(wire::CodeRef code,
                                                    std::span<const BundledRequest> calls) {
  if (outstanding() == geometry_.slots) return std::nullopt;
  const std::uint64_t position = tail_;
  Slot& to = slot(position);
  std::size_t at = calls.size() * sizeof(BundledCall);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const auto callable = calls[i].callable;
    const BundledCall call{calls[i].job, static_cast<std::uint32_t>(callable.size()), 0};
    std::memcpy(to.inline_area + i * sizeof call, &call, sizeof call);
    if (!callable.empty()) std::memcpy(to.inline_area + at, callable.data(), callable.size());
    at += rounded_up(callable.size(), 16);
  }
  Note fresh;
  fresh.count = static_cast<std::uint32_t>(calls.size());
  fresh.is_bundle = true;
  fresh.answer_begin = static_cast<std::size_t>(to.inline_area + at - lane_.data());
  fresh.answer_room = inline_size - at;

  Parcel all;
  all.code = code;
  all.job = calls.front().job;
  all.count = fresh.count;
  all.callable = {to.inline_area, at};
  fill(to, all, 0, fresh);
  to.flags |= bundle_flag;
  notes_[position & (geometry_.slots - 1)] = std::move(fresh);
  ++tail_;
  // Publishes the slot; pairs with the acquire in WorkerEnd::take.
  to.word.store(make_word(position, State::queued), std::memory_order_release);
  if (outstanding() + soon < geometry_.slots) prefetch_to_write(slot(position + soon));
  return position;
}

std::uint64_t ParentEnd::begun(std::uint64_t position) const noexcept {
  return slot(position).begun.load(std::memory_order_relaxed) & ~begun_marks;
}

// The worker goes on to its next call only by a compare-and-swap on `begun`, which it
// loses from now on.
std::optional<std::size_t> ParentEnd::cut(std::uint64_t position) noexcept {
  if (!is_claimed(position)) return std::nullopt;
  Note& note = notes_[position & (geometry_.slots - 1)];
  const std::uint64_t before = slot(position).begun.fetch_or(cut_bit);
  const std::uint64_t kept = before & ~begun_marks;
  if (kept > note.count) {
    scribbled_ = true;
    return std::nullopt;
  }
  note.is_cut = true;
  note.count = static_cast<std::uint32_t>(kept);
  return static_cast<std::size_t>(kept);
}

// Each end is written before its call is ended, which is what we have seen.
bool ParentEnd::read_value_ends(const Slot& from, Answer& answer) const noexcept {
  const std::size_t size = answer.values.size();
  if (size == 0) return true;
  std::size_t latest = 0;
  for (std::size_t i = 0; i < answer.ended; ++i) {
    const auto& end = reinterpret_cast<const BundledCall*>(from.inline_area)[i].value_end;
    answer.value_ends[i] = read_once(end);
    if (answer.value_ends[i] < latest || answer.value_ends[i] > size) return false;
    latest = answer.value_ends[i];
  }
  return true;
}

}  // namespace brood::lane
