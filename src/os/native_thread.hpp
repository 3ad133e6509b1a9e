// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace brood::os {

// A thread as pthread_self() names it. std::thread would do, but for a fork: in
// the child its destructor must not be reached, and its thread is not there.
using ThreadHandle = std::uintptr_t;

// 0, or why the kernel grants no thread, as an errno value. The handle is for
// the new thread to tell, by current_thread_handle().
int start_thread(void* (*body)(void*), void* argument) noexcept;

// Once a thread, one of the two.
// Blocks: until the kernel has ended the thread.
void join_thread(ThreadHandle thread);
void detach_thread(ThreadHandle thread) noexcept;

ThreadHandle current_thread_handle() noexcept;

// Runs `before` in every fork(2) of this process, then `in_parent` and
// `in_child`. A child made by clone(2) itself runs none.
void at_fork(void (*before)(), void (*in_parent)(), void (*in_child)()) noexcept;

}  // namespace brood::os
