// SPDX-License-Identifier: MIT
#include "os/crash_record.hpp"

#include <algorithm>

namespace brood::os {
namespace {

template <std::size_t room>
void put(char (&to)[room], std::atomic<std::uint32_t>& size, std::string_view text) noexcept {
  // Not memcpy: a text without a character may lie nowhere.
  const std::size_t kept = text.copy(to, room);
  size.store(static_cast<std::uint32_t>(kept), std::memory_order_release);
}

template <std::size_t room>
std::string take(const char (&from)[room], const std::atomic<std::uint32_t>& size) {
  return {from, std::min<std::size_t>(size.load(std::memory_order_acquire), room)};
}

}  // namespace

bool is_complete(const CrashRecord& record) noexcept {
  return record.state.load(std::memory_order_acquire) == CrashRecord::State::complete;
}

CrashNotes read_notes(const CrashRecord& record) {
  CrashNotes notes;
  notes.exception_type = take(record.exception_type, record.type_size);
  notes.exception_what = take(record.exception_what, record.what_size);
  notes.added_memory = record.added_memory.load(std::memory_order_acquire);
  notes.peak_memory = record.peak_memory.load(std::memory_order_acquire);
  if (record.state.load(std::memory_order_acquire) == CrashRecord::State::nothing) return notes;
  notes.signal = record.signal;
  notes.code = record.code;
  if (record.has_address != 0) notes.address = static_cast<std::uintptr_t>(record.address);
  notes.stack_overflow = record.stack_overflow != 0;
  const std::size_t count = std::min<std::size_t>(
      record.frame_count.load(std::memory_order_acquire), CrashRecord::most_frames);
  notes.frames.assign(record.frames, record.frames + count);
  return notes;
}

void note_exception(CrashRecord& record, std::string_view type, std::string_view what) noexcept {
  put(record.exception_type, record.type_size, type);
  put(record.exception_what, record.what_size, what);
}

}  // namespace brood::os
