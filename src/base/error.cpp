// SPDX-License-Identifier: MIT
#include <brood/base/error.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/known_trace.hpp"

// The destructors are here so that each type's vtable and type information
// exist once, in the library, and exceptions match across shared objects.
namespace brood {
namespace {

// A trace whose words are there from the start.
class KnownTrace final : public TaskTrace {
 public:
  KnownTrace(std::string message, std::string name, std::vector<std::string> lines)
      : message_(std::move(message)), name_(std::move(name)), lines_(std::move(lines)) {}
  const char* what() const noexcept override { return message_.c_str(); }
  const std::string& task_name() const noexcept override { return name_; }
  const std::vector<std::string>& backtrace() const noexcept override { return lines_; }

 private:
  std::string message_;
  std::string name_;
  std::vector<std::string> lines_;
};

// Never destroyed: an error may be read after main has returned.
const std::string& no_name = *new std::string;
const std::vector<std::string>& no_lines = *new std::vector<std::string>;

CrashReport bare_report(int pid, int signal, int exit_code) {
  CrashReport report;
  report.pid = pid;
  report.signal = signal;
  report.exit_code = exit_code;
  return report;
}

}  // namespace

std::shared_ptr<const TaskTrace> base::known_trace(std::string message, std::string task_name,
                                                   std::vector<std::string> lines) {
  return std::make_shared<KnownTrace>(std::move(message), std::move(task_name), std::move(lines));
}

TaskTrace::~TaskTrace() = default;

Error::~Error() = default;
OwnError::~OwnError() = default;
ValueError::~ValueError() = default;
TimeoutError::~TimeoutError() = default;
TaskTimeout::~TaskTimeout() = default;
CancelledError::~CancelledError() = default;
ShipError::~ShipError() = default;
ContextError::~ContextError() = default;
BrokenPool::~BrokenPool() = default;
SystemError::~SystemError() = default;
WorkerCrashed::~WorkerCrashed() = default;
MemoryLimitExceeded::~MemoryLimitExceeded() = default;
RemoteError::~RemoteError() = default;

const char* TaskTimeout::what() const noexcept {
  return trace_ ? trace_->what() : TimeoutError::what();
}
const std::string& TaskTimeout::task_name() const noexcept {
  return trace_ ? trace_->task_name() : no_name;
}
const std::vector<std::string>& TaskTimeout::backtrace() const noexcept {
  return trace_ ? trace_->backtrace() : no_lines;
}

WorkerCrashed::WorkerCrashed(std::string message, CrashReport report,
                             std::shared_ptr<const TaskTrace> trace)
    : OwnError(std::move(message)), report_(std::move(report)), trace_(std::move(trace)) {}
WorkerCrashed::WorkerCrashed(std::string message, int pid, int signal, int exit_code,
                             std::vector<std::string> backtrace)
    : WorkerCrashed(message, bare_report(pid, signal, exit_code),
                    base::known_trace(message, {}, std::move(backtrace))) {}

const char* WorkerCrashed::what() const noexcept {
  return trace_ ? trace_->what() : OwnError::what();
}
const std::string& WorkerCrashed::task_name() const noexcept {
  return trace_ ? trace_->task_name() : no_name;
}
const std::vector<std::string>& WorkerCrashed::backtrace() const noexcept {
  return trace_ ? trace_->backtrace() : no_lines;
}

}  // namespace brood
