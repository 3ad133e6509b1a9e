// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <exception>
#include <string>

#include <brood/pool/job.hpp>

#include "os/crash_record.hpp"
#include "os/pidfd.hpp"
#include "pool/memory_watch.hpp"

// From a worker's last words to the error that a caller gets. Made under the
// engine's lock: bytes are copied; the words come when somebody asks.
namespace brood::detail {

enum class CrashCause {
  its_own,     // a signal, an exit
  scribbling,  // it wrote over its lane, and was killed for it
};

std::exception_ptr crash_of(const Job& job, std::size_t item, int pid, const os::ExitStatus& how,
                            os::CrashNotes notes, CrashCause cause, const MemoryEnd& memory);

// "was ended by signal 11 (SIGSEGV) at address 0x8".
std::string describe_end(const os::ExitStatus& how, const os::CrashNotes& notes,
                         const MemoryEnd& memory);

std::exception_ptr timeout_of(const Job& job, std::size_t item, int pid, os::CrashNotes notes);

}  // namespace brood::detail
