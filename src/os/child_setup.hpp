// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <span>

// What a new process does to itself before it runs anything of the user's. Called
// while it has one thread.
namespace brood::os {

// Its own process group, so that a terminal's Ctrl-C reaches the program alone
// and one signal reaches all that this process starts.
void lead_process_group() noexcept;
// The same for 0; else that group, where the kernel lets it.
void enter_process_group(int group) noexcept;

// The kernel kills this process's group with SIGKILL when the last holder of the
// life-line's write end is gone, whatever this process is doing then: blocked
// signals and SIGSTOP do not help it. Exits at once if it's gone already. `pipe`
// is a read end; it's opened anew, since the signal belongs to an open file
// description. False where /proc is not mounted.
bool tie_to_lifeline(int pipe) noexcept;
// The two halves of it: an end of this process's own, -1 where there is none; and the tie,
// for as long as that is open.
int open_anew(int pipe) noexcept;
void tie_to_own_end(int own) noexcept;

// Closes every descriptor above 2 but those. `kept` is sorted in place.
void close_descriptors_except(std::span<int> kept) noexcept;

void read_stdin_from_null() noexcept;

// Handlers of the parent would run in a process they were not written for; but one
// for the process's own fatal faults has the same to do here. What is ignored stays
// ignored.
void reset_signal_handlers() noexcept;
void unblock_signals() noexcept;
// All but those that a fault in this very thread raises: the kernel kills at once
// who blocks them, past every handler.
void block_signals() noexcept;

// At most 15 bytes are shown by the kernel.
void name_this_process(const char* name) noexcept;

// From now on `exit` and `quick_exit` end the process by _exit with their code, after
// flushing stdio, but before any exit handler that was registered up to now.
void leave_by_exit_quickly() noexcept;
// Flushes stdio and std::cout, then _exit.
[[noreturn]] void leave(int code) noexcept;
// Flushes what a task has printed, if it did.
void flush_output() noexcept;
// Before a copy of this process is made: what is buffered would be printed twice.
void flush_all_output() noexcept;

// A pipe whose ends close on exec: {read end, write end}.
struct Pipe {
  int read_end;
  int write_end;
};
Pipe make_pipe();

// In a process of which others will be copies: calls once what each of them calls on its
// way to its first task, so that the loader has found it. To find ten functions takes a
// copy some 40 us, most of it for pages of the libraries' tables.
void rehearse_birth() noexcept;

// The program's variables as they are, NAME=VALUE, a null behind the last.
char** environment() noexcept;
[[noreturn]] void exec_self(char* const* arguments, char* const* environment) noexcept;
void keep_on_exec(int fd) noexcept;
void close_on_exec(int fd) noexcept;

// Short, as signal(7) has it: "SEGV", "KILL".
const char* signal_name(int number) noexcept;

// For ever.
[[noreturn]] void sleep_until_killed() noexcept;
// Through signals, too.
void pause_for(std::chrono::milliseconds time) noexcept;
// This process, by SIGKILL.
[[noreturn]] void end_by_kill() noexcept;
void kill_group(int leader) noexcept;

}  // namespace brood::os
