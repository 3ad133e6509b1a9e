// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <brood/base/crash_report.hpp>
#include <brood/base/export.hpp>

namespace brood {

// What every object that brood throws has in common. An interface, not a
// std::exception: each thrown type has exactly one of those among its bases, so
// `catch (const std::exception&)` and `catch (const brood::Error&)` both work.
class BROOD_EXPORT Error {
 public:
  virtual ~Error();
  virtual const char* what() const noexcept = 0;

 protected:
  Error() = default;
  Error(const Error&) = default;
  Error& operator=(const Error&) = default;
};

// brood's own errors: the message, and nothing of std::runtime_error, so that a
// handler for that type sees only what a task itself threw.
class BROOD_EXPORT OwnError : public std::exception, public virtual Error {
 public:
  explicit OwnError(std::string message) : message_(std::move(message)) {}
  ~OwnError() override;
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};

// A call that can't be right: a second start, a size of zero, a use after close.
class BROOD_EXPORT ValueError : public OwnError {
 public:
  using OwnError::OwnError;
  ~ValueError() override;
};

// The time given to a call has passed. What was waited for goes on.
class BROOD_EXPORT TimeoutError : public OwnError {
 public:
  using OwnError::OwnError;
  ~TimeoutError() override;
};

// A task passed its own `.timeout`; its worker was killed.
class BROOD_EXPORT TaskTimeout : public TimeoutError {
 public:
  using TimeoutError::TimeoutError;
  TaskTimeout(std::shared_ptr<const TaskTrace> trace, std::size_t index)
      : TimeoutError(std::string()), trace_(std::move(trace)), index_(index) {}
  ~TaskTimeout() override;

  const char* what() const noexcept override;
  // The item's place in its map; 0 for a call.
  std::size_t index() const noexcept { return index_; }
  // The name of the function that the task called, a functor's or a lambda's type;
  // empty where it's unknown.
  // Blocks: the first time, for some milliseconds; so does what().
  const std::string& task_name() const noexcept;
  // Where the task was just before its worker was killed: one line a function,
  // innermost first. Empty where the worker could not say so within 20 ms: it blocked
  // signals, was stuck in the kernel, or got no time to run.
  // Blocks: the first time, for some 0.1 s.
  const std::vector<std::string>& backtrace() const noexcept;

 private:
  std::shared_ptr<const TaskTrace> trace_;
  std::size_t index_ = 0;
};

// The task was withdrawn, or its pool ended first.
class BROOD_EXPORT CancelledError : public OwnError {
 public:
  using OwnError::OwnError;
  ~CancelledError() override;
};

// A callable, an argument or a result that can't travel to or from a worker.
class BROOD_EXPORT ShipError : public OwnError {
 public:
  using OwnError::OwnError;
  ~ShipError() override;
};

// This program, in its present state, can't have workers of that kind: no
// `brood::init` before the first thread, a pool of another process, and so on.
class BROOD_EXPORT ContextError : public OwnError {
 public:
  using OwnError::OwnError;
  ~ContextError() override;
};

// The pool can't have workers at all: its initializer or preload fails, or no
// process can be made. `what()` carries the cause.
class BROOD_EXPORT BrokenPool : public OwnError {
 public:
  using OwnError::OwnError;
  ~BrokenPool() override;
};

// The kernel refused. `what()` has the operation, the object and the reason.
class BROOD_EXPORT SystemError : public OwnError {
 public:
  SystemError(int code, std::string message) : OwnError(std::move(message)), code_(code) {}
  ~SystemError() override;
  // The errno value of the refusal.
  int code() const noexcept { return code_; }

 private:
  int code_;
};

// The worker died while it ran this task, in any way: a signal, `_exit`, the
// kernel's out-of-memory killer, an exception that nobody caught. The worker tells
// what it was at; of a death without warning (SIGKILL, `_exit`, a signal that the
// task has a handler for) only what the kernel says is known.
class BROOD_EXPORT WorkerCrashed : public OwnError {
 public:
  WorkerCrashed(std::string message, int pid, int signal, int exit_code,
                std::vector<std::string> backtrace = {});
  // `trace` may be null.
  WorkerCrashed(std::string message, CrashReport report, std::shared_ptr<const TaskTrace> trace);
  ~WorkerCrashed() override;

  const char* what() const noexcept override;
  // All that follows but the names and the stack.
  const CrashReport& report() const noexcept { return report_; }
  // The worker's process id, now gone.
  int pid() const noexcept { return report_.pid; }
  // The signal that ended it, or 0 when it left by exit.
  int signal() const noexcept { return report_.signal; }
  // Its exit code, or -signal() when a signal ended it, as Process has it.
  int exit_code() const noexcept { return report_.exit_code; }
  // Why the signal came, as sigaction(2) lists it (si_code): SEGV_MAPERR, FPE_INTDIV,
  // SI_USER. 0, which is also SI_USER, where it's unknown.
  int signal_code() const noexcept { return report_.signal_code; }
  // The address that could not be accessed (SIGSEGV, SIGBUS) or executed (SIGILL,
  // SIGFPE). Nothing where the signal has none.
  std::optional<std::uintptr_t> address() const noexcept { return report_.address; }
  // Whether the task's stack was used up: the address lies at its end.
  bool stack_overflow() const noexcept { return report_.stack_overflow; }
  // The item's place in its map; 0 for a call.
  std::size_t index() const noexcept { return report_.index; }
  // How many workers the task has ended, this one among them: 1, or with .retries
  // as many as were allowed, after which it's set aside.
  std::uint64_t crashes() const noexcept { return report_.crashes; }
  // The name of the function that the task called, a functor's or a lambda's type;
  // empty where it's unknown.
  // Blocks: the first time, for some milliseconds; so does what().
  const std::string& task_name() const noexcept;
  // The type and what() of the exception that left a noexcept function or a thread,
  // so that std::terminate ended the worker; empty otherwise.
  const std::string& exception_type() const noexcept { return report_.exception_type; }
  const std::string& exception_what() const noexcept { return report_.exception_what; }
  // Where the worker was: one line a function with file and line where the program
  // has debug information, innermost first. At most 128 frames; empty where none
  // could be taken.
  // Blocks: the first time, for some 0.1 s.
  const std::vector<std::string>& backtrace() const noexcept;

 private:
  CrashReport report_;
  std::shared_ptr<const TaskTrace> trace_;
};

// The worker died of its `.memory_limit`: killed by the kernel for passing it, or by
// its own hand where memory was refused (an uncaught std::bad_alloc; an abort, a
// null pointer or an exit with a failure, with the limit all but reached). A
// std::bad_alloc that the task throws arrives as that.
class BROOD_EXPORT MemoryLimitExceeded : public WorkerCrashed {
 public:
  MemoryLimitExceeded(std::string message, int pid, int signal, int exit_code,
                      std::size_t limit_in_bytes, std::size_t peak_in_bytes)
      : WorkerCrashed(std::move(message), pid, signal, exit_code),
        limit_(limit_in_bytes),
        peak_(peak_in_bytes) {}
  // `trace` may be null.
  MemoryLimitExceeded(std::string message, CrashReport report,
                      std::shared_ptr<const TaskTrace> trace, std::size_t limit_in_bytes,
                      std::size_t peak_in_bytes)
      : WorkerCrashed(std::move(message), std::move(report), std::move(trace)),
        limit_(limit_in_bytes),
        peak_(peak_in_bytes) {}
  ~MemoryLimitExceeded() override;
  // Bytes that the worker was allowed to add to what it was born with.
  std::size_t limit() const noexcept { return limit_; }
  // Bytes that it had added at most, which may be far from the limit if it asked for
  // much at once. 0 where it's unknown.
  std::size_t peak() const noexcept { return peak_; }

 private:
  std::size_t limit_;
  std::size_t peak_;
};

// Something that a function threw in a worker. The object in flight is also of
// the nearest standard type, so `catch (const std::out_of_range&)` works too.
class BROOD_EXPORT RemoteError : public virtual Error {
 public:
  ~RemoteError() override;
  // The demangled type of what was thrown over there.
  virtual const std::string& type_name() const noexcept = 0;
  virtual int worker_pid() const noexcept = 0;
  // One line a frame where the worker could take them, innermost first.
  virtual const std::vector<std::string>& backtrace() const noexcept = 0;

 protected:
  RemoteError() = default;
  RemoteError(const RemoteError&) = default;
  RemoteError& operator=(const RemoteError&) = default;
};

}  // namespace brood
