// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>

#if defined(__SANITIZE_THREAD__)
#define BROOD_HAS_NO_FENCES 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define BROOD_HAS_NO_FENCES 1
#endif
#endif

namespace brood::os {

// What this thread wrote can be seen before it reads on: the fence of
// std::memory_order_seq_cst. The thread sanitizer knows no fences, but what threads do
// to one place in turn. In the lane's model all is seen at once.
inline void full_fence() noexcept {
#if defined(BROOD_IS_MODEL)
#elif defined(BROOD_HAS_NO_FENCES)
  static std::atomic<int> place{0};
  place.fetch_add(1, std::memory_order_seq_cst);
#else
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

// The same where this thread has just read and changed a place in one atomic step (an
// exchange, a compare-and-swap that succeeded): on x86 that is a fence itself (Intel's
// manual, volume 3A, "Loads and stores are not reordered with locked instructions").
inline void full_fence_after_exchange() noexcept {
#if defined(__x86_64__) && !defined(BROOD_HAS_NO_FENCES)
  std::atomic_signal_fence(std::memory_order_seq_cst);
#else
  full_fence();
#endif
}

}  // namespace brood::os
