// SPDX-License-Identifier: MIT
#include "os/futex.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include "os/syscall.hpp"

namespace brood::os {
namespace {

// Linux 5.16; Debian 12's headers have it, older ones do not.
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

struct Waitv {
  std::uint64_t value;
  std::uint64_t address;
  std::uint32_t flags;
  std::uint32_t reserved;
};
constexpr std::uint32_t waitv_size_u32 = 2;
constexpr std::uint32_t waitv_private = 128;

struct timespec at(const Deadline& deadline) noexcept {
  const auto since = deadline.at().time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  struct timespec point{};
  point.tv_sec = static_cast<time_t>(seconds.count());
  point.tv_nsec = static_cast<long>(std::chrono::nanoseconds(since - seconds).count());
  return point;
}

int flags(Sharing sharing) noexcept {
  return sharing == Sharing::in_process ? FUTEX_PRIVATE_FLAG : 0;
}

// False when the deadline has passed; other refusals are a wake for no reason.
bool slept(long result) {
  if (result != -1 || errno == EAGAIN || errno == EINTR) return true;
  if (errno == ETIMEDOUT) return false;
  throw_system_error(errno, "sleep on a futex");
}

}  // namespace

bool futex_wait(FutexWord& word, std::uint32_t expected, const Deadline& deadline,
                Sharing sharing) {
  struct timespec point{};
  if (!deadline.is_never()) point = at(deadline);
  return slept(::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | flags(sharing), expected,
                         deadline.is_never() ? nullptr : &point, nullptr, FUTEX_BITSET_MATCH_ANY));
}

void futex_wake(const void* word, int sleepers, Sharing sharing) noexcept {
  ::syscall(SYS_futex, word, FUTEX_WAKE | flags(sharing), sleepers, nullptr, nullptr, 0);
}

bool has_futex_wait_any() noexcept {
  // Threads may ask at the same time, and find the same; none waits for another, which a fork
  // could leave behind.
  enum class Answer { unknown, yes, no };
  static std::atomic<Answer> known{Answer::unknown};
  Answer answer = known.load(std::memory_order_relaxed);
  if (answer == Answer::unknown) {
    // Zero waiters are refused with EINVAL where the call is known.
    const long refusal = ::syscall(SYS_futex_waitv, nullptr, 0, 0, nullptr, 0);
    answer = refusal == -1 && errno == EINVAL ? Answer::yes : Answer::no;
    known.store(answer, std::memory_order_relaxed);
  }
  return answer == Answer::yes;
}

bool futex_wait_any(const FutexWaiter* waiters, unsigned count, const Deadline& deadline) {
  std::array<Waitv, most_futex_waiters> words;
  count = std::min(count, most_futex_waiters);
  for (unsigned i = 0; i < count; ++i) {
    words[i] = {waiters[i].expected, reinterpret_cast<std::uintptr_t>(waiters[i].word),
                waitv_size_u32 | (waiters[i].sharing == Sharing::in_process ? waitv_private : 0),
                0};
  }
  struct timespec point{};
  if (!deadline.is_never()) point = at(deadline);
  return slept(::syscall(SYS_futex_waitv, words.data(), count, 0,
                         deadline.is_never() ? nullptr : &point, CLOCK_MONOTONIC));
}

}  // namespace brood::os
