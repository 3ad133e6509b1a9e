// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>

#include <brood/base/timeout.hpp>

namespace brood::os {

// Sleeping on a 32-bit word. `shared` words lie in memory that several processes
// map; std::atomic::wait does not wake another process.
enum class Sharing { in_process, between_processes };

using FutexWord = std::atomic<std::uint32_t>;
static_assert(FutexWord::is_always_lock_free && sizeof(FutexWord) == 4);

// Sleeps while `word` holds `expected`, until a wake, a signal or the deadline;
// may also return for no reason. False only when the deadline has passed.
bool futex_wait(FutexWord& word, std::uint32_t expected, const Deadline& deadline, Sharing sharing);
// The address of a word: of a 64-bit one its low half.
void futex_wake(const void* word, int sleepers, Sharing sharing) noexcept;

inline bool futex_wait_private(FutexWord& word, std::uint32_t expected, const Deadline& deadline) {
  return futex_wait(word, expected, deadline, Sharing::in_process);
}
inline void futex_wake_private(FutexWord& word, int sleepers) noexcept {
  futex_wake(&word, sleepers, Sharing::in_process);
}

// One of several words to sleep on at once.
struct FutexWaiter {
  const void* word;
  std::uint32_t expected;
  Sharing sharing;
};
inline constexpr unsigned most_futex_waiters = 128;

// Whether futex_wait_any works here (Linux 5.16 and not filtered).
bool has_futex_wait_any() noexcept;
// Sleeps while all the words hold what is expected. False when the deadline has
// passed. Requires: has_futex_wait_any(), count in 1 .. most_futex_waiters.
bool futex_wait_any(const FutexWaiter* waiters, unsigned count, const Deadline& deadline);

}  // namespace brood::os
