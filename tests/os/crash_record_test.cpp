// SPDX-License-Identifier: MIT
#include "os/crash_record.hpp"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace brood::os {
namespace {

// Zeros, as untouched shared memory is.
std::unique_ptr<CrashRecord> blank() { return std::make_unique<CrashRecord>(); }

TEST(crash_record, of_zeros_tells_of_nothing) {
  const auto record = blank();
  EXPECT_FALSE(is_complete(*record));
  const CrashNotes notes = read_notes(*record);
  EXPECT_EQ(notes.signal, 0);
  EXPECT_FALSE(notes.address.has_value());
  EXPECT_TRUE(notes.frames.empty());
  EXPECT_TRUE(notes.exception_type.empty());
}

TEST(crash_record, that_is_only_begun_has_the_frames_so_far) {
  const auto record = blank();
  record->state = CrashRecord::State::begun;
  record->signal = 11;
  record->frames[0] = {7, 0x10};
  record->frame_count = 1;
  const CrashNotes notes = read_notes(*record);
  EXPECT_FALSE(is_complete(*record));
  EXPECT_EQ(notes.signal, 11);
  ASSERT_EQ(notes.frames.size(), 1U);
  EXPECT_EQ(notes.frames[0].image, 7U);
  EXPECT_EQ(notes.frames[0].offset, 0x10U);
}

TEST(crash_record, tells_an_address_of_zero_from_none) {
  const auto record = blank();
  record->state = CrashRecord::State::complete;
  EXPECT_FALSE(read_notes(*record).address.has_value());
  record->has_address = 1;
  EXPECT_EQ(read_notes(*record).address, std::uintptr_t{0});
}

TEST(crash_record, is_cut_where_its_counts_cannot_be) {
  const auto record = blank();
  record->state = static_cast<CrashRecord::State>(77);
  record->frame_count = ~0U;
  record->type_size = ~0U;
  record->what_size = ~0U;
  const CrashNotes notes = read_notes(*record);
  EXPECT_EQ(notes.frames.size(), CrashRecord::most_frames);
  EXPECT_EQ(notes.exception_type.size(), sizeof record->exception_type);
  EXPECT_EQ(notes.exception_what.size(), sizeof record->exception_what);
}

TEST(crash_record, keeps_an_exception_without_any_signal_and_cuts_long_words) {
  const auto record = blank();
  note_exception(*record, "std::runtime_error", std::string(5000, 'w'));
  const CrashNotes notes = read_notes(*record);
  EXPECT_EQ(notes.exception_type, "std::runtime_error");
  EXPECT_EQ(notes.exception_what, std::string(sizeof record->exception_what, 'w'));
}

}  // namespace
}  // namespace brood::os
