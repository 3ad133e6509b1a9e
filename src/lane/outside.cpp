// SPDX-License-Identifier: MIT
#include "lane/outside.hpp"

#include "os/channel.hpp"
#include "os/memory.hpp"

namespace brood::lane {

os::UniqueFd copy_outside(std::span<const std::byte> callable, std::span<const std::byte> items,
                          std::size_t items_begin) {
  os::UniqueFd memory = os::make_growing_memory("brood-request");
  os::resize_memory(memory.get(), items_begin + items.size());
  os::write_memory(memory.get(), 0, callable);
  os::write_memory(memory.get(), items_begin, items);
  os::seal_contents(memory.get());
  return memory;
}

std::optional<os::UniqueFd> receive_note(int channel, std::uint64_t position,
                                         const Deadline& deadline) {
  for (;;) {
    OutsideNote note;
    auto received =
        os::receive_message(channel, std::as_writable_bytes(std::span(&note, 1)), deadline);
    if (!received || received->size != sizeof note) return std::nullopt;
    if (note.position < position) continue;
    if (note.position > position) return std::nullopt;
    if (received->lost_descriptors) return os::UniqueFd();
    if (received->descriptors.empty()) return std::nullopt;
    return std::move(received->descriptors.front());
  }
}

}  // namespace brood::lane
