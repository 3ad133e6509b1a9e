// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <brood/base/export.hpp>

namespace brood {

// What is known of a worker's end besides where its code was.
struct CrashReport {
  int pid = 0;
  int signal = 0;       // that ended it; 0 when it left by exit
  int exit_code = 0;    // or -signal
  int signal_code = 0;  // siginfo_t's si_code, 0 where the worker could tell nothing
  // The address that SIGSEGV, SIGBUS, SIGILL or SIGFPE was about; it may well be 0.
  std::optional<std::uintptr_t> address;
  bool stack_overflow = false;
  std::size_t index = 0;  // the item's place in its map; 0 for a call
  // Workers that the item has ended, this one among them: retries + 1 at most.
  std::uint64_t crashes = 1;
  // Of the uncaught exception that ended it by std::terminate; empty otherwise.
  std::string exception_type;
  std::string exception_what;
};

// Where a task was. It takes a while to put into words (the program's symbols are
// read), so that's done when somebody asks, once for all copies of an error.
class BROOD_EXPORT TaskTrace {
 public:
  virtual ~TaskTrace();
  // The error's message.
  virtual const char* what() const noexcept = 0;
  // The function's own name, a functor's or a lambda's type.
  virtual const std::string& task_name() const noexcept = 0;
  // One line a function, innermost first.
  virtual const std::vector<std::string>& backtrace() const noexcept = 0;

 protected:
  TaskTrace() = default;
  TaskTrace(const TaskTrace&) = default;
  TaskTrace& operator=(const TaskTrace&) = default;
};

}  // namespace brood
