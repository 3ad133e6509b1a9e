// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace brood::os {

// Where a frame's code is: how far into which image, as wire::CodeRef has it; its
// bare address, with image 0, where it lies in no image.
struct CrashFrame {
  std::uint64_t image = 0;
  std::uint64_t offset = 0;
};

// What a process tells of its own end, in memory that it shares with whoever
// wants to know. Zeros are a record of nothing.
//
//     nothing --(the first thread with something to tell)--> begun --> complete
//
// Survives: the writer's death at any instant. A record that is only begun has
// the frames that `frame_count` says.
struct CrashRecord {
  static constexpr std::size_t most_frames = 128;
  enum class State : std::uint32_t { nothing, begun, complete };

  // By the writer.
  std::atomic<State> state;
  // By the reader: the process is to tell where it is, though nothing ails it.
  std::atomic<std::uint32_t> wanted;
  // By the writer, from here on.
  std::int32_t signal;
  std::int32_t code;
  std::uint64_t address;
  std::uint32_t has_address;
  std::uint32_t stack_overflow;
  std::atomic<std::uint32_t> frame_count;
  // Of the exception that ended it, where one did.
  std::atomic<std::uint32_t> type_size;
  std::atomic<std::uint32_t> what_size;
  std::uint32_t padding;
  // Bytes beyond what the process had when it was to tell of it: mapped for itself now,
  // and resident at most.
  std::atomic<std::uint64_t> added_memory;
  std::atomic<std::uint64_t> peak_memory;
  CrashFrame frames[most_frames];
  char exception_type[512];
  char exception_what[1024];
};
static_assert(std::atomic<CrashRecord::State>::is_always_lock_free);

// The same, checked, in memory of the reader's own.
struct CrashNotes {
  int signal = 0;
  int code = 0;
  std::optional<std::uintptr_t> address;
  bool stack_overflow = false;
  std::vector<CrashFrame> frames;  // innermost first
  std::string exception_type;
  std::string exception_what;
  std::uint64_t added_memory = 0;  // bytes; 0 where it's unknown
  std::uint64_t peak_memory = 0;
};

bool is_complete(const CrashRecord& record) noexcept;
// Reads each field once; counts and sizes that can't be are cut. Frames are those
// of a complete record or of one whose writer has died.
CrashNotes read_notes(const CrashRecord& record);

// Both are cut where they exceed the record.
void note_exception(CrashRecord& record, std::string_view type, std::string_view what) noexcept;

}  // namespace brood::os
