// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "os/crash_record.hpp"
#include "os/memory_use.hpp"
#include "os/pidfd.hpp"

// A process that tells of its own end: handlers for the signals that are one write
// down where it was, then let the signal do what it would have done.
namespace brood::os {

// Where an address is for other processes. Called in a signal handler.
using PlaceOf = CrashFrame (*)(std::uintptr_t address) noexcept;

// From now on SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS and SIGTRAP leave a
// record before they end this process. A signal that has a handler keeps it, and
// one that is given a handler later has that alone. The calling thread gets a stack
// of its own for it, so that an exhausted one can be told too.
// A process that is forked from this one has no record, and ends as ever.
//
// `bell` is rung when a stack was taken for ask_for_stack.
// Survives: stacks and images that make the walk itself fault; what was walked so
// far is told then, under the first signal.
void record_crashes(CrashRecord& record, int bell, PlaceOf place) noexcept;

// The record is to tell too what this process has of memory beyond that, at a fatal
// signal and when it leaves by exit with a failure.
void tell_what_is_added_to(const MemoryUse& known) noexcept;
// Writes that down now. Safety: signal handlers.
void note_memory() noexcept;

// What a walk loads and resolves the first time is so loaded, here and in all that
// is forked from here.
void rehearse_walk(PlaceOf place) noexcept;

// Has the main thread of a process that called record_crashes write down where it
// is, and stop for good. Nothing happens where it blocks signals or is too busy in
// the kernel: the caller waits for a moment, not for an answer.
void ask_for_stack(const Child& child, CrashRecord& record) noexcept;

}  // namespace brood::os
