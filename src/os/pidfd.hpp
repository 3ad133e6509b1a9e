// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include <brood/base/timeout.hpp>

#include "os/unique_fd.hpp"

namespace brood::os {

// How a process ended: by a signal, or with an exit code.
struct ExitStatus {
  int signal = 0;
  int code = 0;
  // Python's form: the code, or minus the signal.
  int as_exitcode() const noexcept { return signal != 0 ? -signal : code; }
};

// A child of this program, by the descriptor that names it for ever: its number
// may be used again once it's reaped, this can't.
struct Child {
  int pid = 0;
  UniqueFd pidfd;
};

inline constexpr int kill_signal = 9;
inline constexpr int terminate_signal = 15;

// True once the process has ended (it may still be unreaped).
bool wait_for_end(int pidfd, const Deadline& deadline);

// The status of an ended child, which is gone then. Nothing while it runs.
// Survives: another reaper. A status that somebody else took is known all the same since
// Linux 6.15; before, it reads as exit 255.
std::optional<ExitStatus> reap(const Child& child);

// False when the process has ended already.
bool send_signal(int pidfd, int signal) noexcept;
// The same to an unreaped child, which the kernel needs no pidfd for.
bool send_signal(const Child& child, int signal) noexcept;
// The same to this process.
void signal_this_process(int signal) noexcept;
// The same to the whole process group that an unreaped child leads.
void send_signal_to_group(const Child& leader, int signal) noexcept;

// Kills a child of which only the number is known, and reaps it.
// Requires: it's a child of this program, and nobody else reaps it.
// Blocks: until it has ended.
void end_child(int pid) noexcept;

UniqueFd open_pidfd(int pid);

}  // namespace brood::os
