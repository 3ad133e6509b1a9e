// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "os/pidfd.hpp"

namespace brood::os {

// Whose child the new process becomes.
enum class Parent { caller, callers_parent };

// Whose descriptors it has: copies of them, or, for the time being, the same table, where
// what either opens or closes the other has or loses.
enum class Table { copied, shared };

// Where the new process is: returned twice, as fork is.
enum class Side { parent, child };

struct CloneResult {
  Side side;
  Child child;  // on the parent's side
};

// Throws SystemError: that the kernel refused one, and which limit to raise.
[[noreturn]] void throw_no_process(int code, const char* what);

// A copy of this process, of the calling thread alone. Its end raises no signal,
// and `waitpid(-1)` does not see it, nor what it clones with callers_parent: a
// child that inherits exit_signal 0 is waited for with __WALL only.
//
// glibc's notes of the thread (its id, its robust mutexes) are set right in the
// child; pthread_atfork handlers do not run.
//
// `newborn`, where given, gets the child's number before the child runs, whatever
// becomes of the caller in the call. Kernels without clone3 leave that to the caller.
//
// Requires: no other thread holds a lock that the child will take, malloc's
// included.
// Throws: SystemError.
CloneResult clone_process(Parent parent, int* newborn = nullptr, Table table = Table::copied);

// How many copies of this process were made or begun, by clone_process and by fork, its
// own copying included.
std::uint32_t copies_made() noexcept;

}  // namespace brood::os
