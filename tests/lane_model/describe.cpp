// SPDX-License-Identifier: MIT
#include "describe.hpp"

#include <array>
#include <cstddef>

#include "lane/layout.hpp"
#include "shared_memory.hpp"

namespace brood::model {
namespace {

std::string describe_word(std::uint64_t word) {
  constexpr std::array names{"free", "queued", "claimed", "done", "revoked", "condemned"};
  const auto state = static_cast<std::size_t>(lane::state_of(word));
  std::string text = "task " + std::to_string(lane::generation_of(word)) + " " +
                     (state < names.size() ? names[state] : "nonsense");
  if ((word & lane::waiter_bit) != 0) text += " + waiter";
  if ((word & lane::bell_bit) != 0) text += " + bell";
  return text;
}

std::string describe_header(std::size_t offset, std::uint64_t value) {
  const std::string said = " (" + std::to_string(value) + ")";
  if (offset == offsetof(lane::Header, asleep)) return "asleep" + said;
  if (offset == offsetof(lane::Header, startup)) return "startup" + said;
  if (offset == offsetof(lane::Header, closing)) return "closing" + said;
  if (offset == offsetof(lane::Header, ring_when_idle)) return "ring_when_idle" + said;
  return "the header" + said;
}

}  // namespace

std::string describe_place(std::size_t offset, std::uint64_t value) {
  const std::string lane = "lane " + std::to_string(offset / SharedMemory::lane_size) + " ";
  offset %= SharedMemory::lane_size;
  if (offset < sizeof(lane::Header)) return lane + describe_header(offset, value);
  offset -= sizeof(lane::Header);
  const std::string slot = lane + "slot " + std::to_string(offset / lane::slot_size) + " ";
  offset %= lane::slot_size;
  const std::string said = " (" + std::to_string(value) + ")";
  if (offset == offsetof(lane::Slot, word)) return slot + "word: " + describe_word(value);
  if (offset == offsetof(lane::Slot, begun)) return slot + "begun" + said;
  if (offset == offsetof(lane::Slot, ended)) return slot + "ended" + said;
  if (offset == offsetof(lane::Slot, answer_end)) return slot + "answer_end" + said;
  if (offset == offsetof(lane::Slot, item_since)) return slot + "item_since" + said;
  if (offset == offsetof(lane::Slot, stop)) return slot + "stop" + said;
  return slot + "bytes" + said;
}

}  // namespace brood::model
