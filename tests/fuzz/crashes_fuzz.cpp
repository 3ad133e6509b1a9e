// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include <brood/base/error.hpp>
#include <brood/wire/code_ref.hpp>

#include "fuzz/fuzz.hpp"
#include "os/child_setup.hpp"
#include "os/crash_record.hpp"
#include "wire/symbols.hpp"

// Any bytes in a black box: what the program makes of them has a size in bounds, and
// each place in it can be put into words.

namespace {

using namespace brood;

void somewhere() {}

testing::Bytes example() {
  auto record = std::make_unique<os::CrashRecord>();
  record->signal = 11;
  record->has_address = 1;
  const wire::CodeRef here = wire::locate(&somewhere);
  record->frames[0] = {here.image, here.offset};
  record->frames[1] = {0, 4096};
  record->frame_count = 2;
  os::note_exception(*record, "std::runtime_error", "what");
  record->state = os::CrashRecord::State::complete;
  testing::Bytes bytes(sizeof(os::CrashRecord));
  std::memcpy(bytes.data(), record.get(), bytes.size());
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  testing::write_seeds({example(), testing::Bytes(sizeof(os::CrashRecord))});
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto record = std::make_unique<os::CrashRecord>();
  std::memcpy(static_cast<void*>(record.get()), data, std::min(size, sizeof *record));
  os::is_complete(*record);
  const os::CrashNotes notes = os::read_notes(*record);
  testing::require(notes.frames.size() <= os::CrashRecord::most_frames);
  testing::require(notes.exception_type.size() <= sizeof record->exception_type);
  testing::require(notes.exception_what.size() <= sizeof record->exception_what);
  std::string(os::signal_name(notes.signal));
  for (std::size_t i = 0; i < std::min<std::size_t>(notes.frames.size(), 4); ++i) {
    wire::describe_code({notes.frames[i].image, notes.frames[i].offset});
  }
  return 0;
}
