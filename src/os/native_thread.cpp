// SPDX-License-Identifier: MIT
#include "os/native_thread.hpp"

#include <pthread.h>

#include <bit>

namespace brood::os {

static_assert(sizeof(pthread_t) == sizeof(ThreadHandle));

int start_thread(void* (*body)(void*), void* argument) noexcept {
  pthread_t ignored{};
  return ::pthread_create(&ignored, nullptr, body, argument);
}

void join_thread(ThreadHandle thread) { ::pthread_join(std::bit_cast<pthread_t>(thread), nullptr); }

void detach_thread(ThreadHandle thread) noexcept {
  ::pthread_detach(std::bit_cast<pthread_t>(thread));
}

ThreadHandle current_thread_handle() noexcept {
  return std::bit_cast<ThreadHandle>(::pthread_self());
}

void at_fork(void (*before)(), void (*in_parent)(), void (*in_child)()) noexcept {
  ::pthread_atfork(before, in_parent, in_child);
}

}  // namespace brood::os
