// SPDX-License-Identifier: MIT
#include "lane/outside.hpp"

#include <algorithm>

#include "os/channel.hpp"

namespace brood::lane {

// Written before it's mapped: a write that finds no memory is an error, an access a
// signal. Later ones find the pages there.
RequestMemory::RequestMemory(const Content& content)
    : memory_(os::make_growing_memory("brood-request")) {
  os::resize_memory(memory_.get(), content.size());
  os::write_memory(memory_.get(), 0, content.callable);
  os::write_memory(memory_.get(), content.items_begin, content.items);
  mapping_ = os::map_shared(memory_.get(), content.size());
  mapping_.not_in_forks();
  mapping_.not_in_dumps(0);
  os::seal_contents(memory_.get());
}

void RequestMemory::fill(const Content& content) noexcept {
  std::byte* const to = mapping_.data();
  std::copy(content.callable.begin(), content.callable.end(), to);
  std::copy(content.items.begin(), content.items.end(), to + content.items_begin);
}

std::optional<std::vector<os::UniqueFd>> receive_note(int channel, std::uint64_t position,
                                                      const Deadline& deadline) {
  for (;;) {
    OutsideNote note;
    auto received =
        os::receive_message(channel, std::as_writable_bytes(std::span(&note, 1)), deadline);
    if (!received || received->size != sizeof note) return std::nullopt;
    if (note.position < position) continue;
    if (note.position > position) return std::nullopt;
    if (received->lost_descriptors) return std::vector<os::UniqueFd>();
    if (received->descriptors.empty()) return std::nullopt;
    return std::move(received->descriptors);
  }
}

}  // namespace brood::lane
