// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include <brood/base/export.hpp>
#include <brood/base/reading.hpp>

namespace brood {

// What a thread is doing, as the kernel has it.
enum class ThreadState {
  unstarted,
  runnable,  // it could run, but no processor has taken it up
  running,   // on a processor
  waiting,   // for time, a lock, another thread, a device; also stopped
  dead,
};

BROOD_EXPORT std::ostream& operator<<(std::ostream& out, ThreadState state);

// One thread as it was at the moment of asking. Each field reads as a call too:
// `info.name` is `info.name()`.
struct ThreadInfo {
  // As Thread has it; for a thread that others created, the kernel's name.
  Reading<std::string> name{};
  // What pthread_self() returns in it. For a thread of others that never asked
  // brood anything, which nobody else can know: its native_id.
  Reading<std::uintptr_t> ident{};
  // The kernel's number.
  Reading<int> native_id{};
  Reading<bool> daemon{};
  Reading<ThreadState> state{};

  // The same thread, whenever the two were asked for.
  friend bool operator==(const ThreadInfo& one, const ThreadInfo& other) {
    return one.native_id() == other.native_id() && one.ident() == other.ident();
  }
};

// <Thread(t2, started daemon 140735)>; the number is the ident.
BROOD_EXPORT std::ostream& operator<<(std::ostream& out, const ThreadInfo& info);

// Every thread of the process: main first, then brood's in the order of their
// start, then those that others created, as daemons. One that was joined, or
// not started, is not there.
BROOD_EXPORT std::vector<ThreadInfo> enumerate();

// enumerate().size().
BROOD_EXPORT std::size_t active_count();

// The thread that asks.
BROOD_EXPORT ThreadInfo current_thread();

// The one that `main` runs in. In a child made by fork: the thread that forked,
// under the name that it had.
BROOD_EXPORT ThreadInfo main_thread();

}  // namespace brood
