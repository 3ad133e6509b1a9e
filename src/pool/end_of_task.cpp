// SPDX-License-Identifier: MIT
#include "pool/end_of_task.hpp"

#include <cstdio>
#include <mutex>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

#include <brood/base/error.hpp>
#include <brood/pool/work.hpp>
#include <brood/wire/callable_label.hpp>

#include "os/child_setup.hpp"
#include "wire/symbols.hpp"

namespace brood::detail {
namespace {

std::string hexadecimal(std::uintptr_t address) {
  char text[19];
  std::snprintf(text, sizeof text, "0x%zx", static_cast<std::size_t>(address));
  return text;
}

// What the job knows of a task, copied out of it: it may be gone when it's read.
struct Subject {
  std::uint64_t number = 0;
  std::size_t index = 0;
  bool of_map = false;
  const std::type_info* type = nullptr;
  wire::CodeRef code;
};

Subject subject_of(const Job& job, std::size_t item) {
  Subject subject;
  subject.number = job.id().number;
  subject.index = item;
  const Request request = job.request(0, 1);
  if (request.label) subject.type = request.label->type;
  subject.code = request.code();
  if (const MapJob* const map = job.as_map()) {
    subject.index += map->first_index;
    subject.of_map = true;
  }
  return subject;
}

// Each part is put into words once, by the thread that asks first. Out of memory,
// there are fewer words.
class LazyTrace final : public TaskTrace {
 public:
  LazyTrace(Subject subject, std::string reason, std::vector<os::CrashFrame> frames)
      : subject_(subject), reason_(std::move(reason)), frames_(std::move(frames)) {}

  const char* what() const noexcept override {
    once(told_, [this] { tell(); });
    return message_.empty() ? reason_.c_str() : message_.c_str();
  }
  const std::string& task_name() const noexcept override {
    once(named_, [this] {
      if (subject_.type) name_ = wire::name_of(*subject_.type, subject_.code);
    });
    return name_;
  }
  const std::vector<std::string>& backtrace() const noexcept override {
    once(traced_, [this] {
      for (const auto& frame : frames_) {
        for (auto& line : wire::describe_code({frame.image, frame.offset})) {
          lines_.push_back(std::move(line));
        }
      }
    });
    return lines_;
  }

 private:
  template <typename Step>
  static void once(std::once_flag& flag, Step step) noexcept {
    std::call_once(flag, [&step] {
      try {
        step();
      } catch (...) {
        // What there is already will have to do.
      }
    });
  }

  void tell() const {
    std::string text = "cannot finish task " + std::to_string(subject_.number);
    if (subject_.of_map) text += ", item " + std::to_string(subject_.index);
    if (!task_name().empty()) text += ", '" + task_name() + '\'';
    message_ = text + ": " + reason_;
  }

  Subject subject_;
  std::string reason_;
  std::vector<os::CrashFrame> frames_;
  mutable std::once_flag told_;
  mutable std::once_flag named_;
  mutable std::once_flag traced_;
  mutable std::string message_;
  mutable std::string name_;
  mutable std::vector<std::string> lines_;
};

std::string how_it_ended(const CrashReport& report, const MemoryEnd& memory) {
  if (report.signal == 0) return "left with exit code " + std::to_string(report.exit_code);
  if (report.signal == os::kill_signal) {
    std::string text = "was killed by signal 9 (SIGKILL)";
    if (!memory.exceeded) text += ", " + memory.killer;
    return text;
  }
  std::string text = "was ended by signal " + std::to_string(report.signal) + " (SIG" +
                     os::signal_name(report.signal) + ')';
  if (report.stack_overflow) text += ", a stack overflow";
  if (report.address) text += " at address " + hexadecimal(*report.address);
  return text;
}

std::string and_why(const CrashReport& report) {
  if (report.exception_type.empty()) return {};
  std::string text = ": nobody caught a " + report.exception_type;
  if (!report.exception_what.empty()) text += ": " + report.exception_what;
  return text;
}

std::string set_aside_after(std::uint64_t crashes) {
  if (crashes < 2) return {};
  return "; it ended " + std::to_string(crashes) +
         " workers, as often as its retries allow, and is set aside";
}

// How many workers the item has ended, this one among them.
std::uint64_t crashes_of(const Job& job, std::size_t item) {
  const JobExtras* const extras = job.extras_or_null();
  if (!extras) return 1;
  const auto counted = extras->crashes.find(item);
  return counted == extras->crashes.end() ? 1 : static_cast<std::uint64_t>(counted->second);
}

// "met its memory_limit of 64 MiB, with 63.5 MiB added to what it was born with, and ".
std::string by_its_limit(const MemoryEnd& memory) {
  if (!memory.exceeded) return {};
  std::string text = "met its memory_limit of " + in_words(memory.limit);
  if (memory.peak != 0) {
    text += ", with " + in_words(memory.peak) + " added to what it was born with";
  }
  return text + ", and ";
}

std::string end_in_words(const CrashReport& report, const MemoryEnd& memory) {
  return by_its_limit(memory) + how_it_ended(report, memory) + and_why(report);
}

// The box tells of a signal that the worker outlived, by a handler say, too.
bool tells_of(const os::CrashNotes& notes, const os::ExitStatus& how) {
  return how.signal != 0 && notes.signal == how.signal;
}

CrashReport report_of(int pid, const os::ExitStatus& how, const os::CrashNotes& notes) {
  CrashReport report;
  report.pid = pid;
  report.signal = how.signal;
  report.exit_code = how.as_exitcode();
  report.exception_type = notes.exception_type;
  report.exception_what = notes.exception_what;
  if (tells_of(notes, how)) {
    report.signal_code = notes.code;
    report.address = notes.address;
    report.stack_overflow = notes.stack_overflow;
  }
  return report;
}

}  // namespace

std::exception_ptr crash_of(const Job& job, std::size_t item, int pid, const os::ExitStatus& how,
                            os::CrashNotes notes, CrashCause cause, const MemoryEnd& memory) {
  const Subject subject = subject_of(job, item);
  CrashReport report = report_of(pid, how, notes);
  report.index = subject.index;
  report.crashes = crashes_of(job, item);
  if (!tells_of(notes, how)) notes.frames.clear();
  std::string reason = "its worker (process " + std::to_string(pid) + ") ";
  reason += cause == CrashCause::scribbling
                ? "has written over the memory that it shares with the program"
                : end_in_words(report, memory);
  reason += set_aside_after(report.crashes);
  auto trace = std::make_shared<LazyTrace>(subject, std::move(reason), std::move(notes.frames));
  if (memory.exceeded && cause == CrashCause::its_own) {
    return std::make_exception_ptr(MemoryLimitExceeded(
        std::string(), std::move(report), std::move(trace), static_cast<std::size_t>(memory.limit),
        static_cast<std::size_t>(memory.peak)));
  }
  return std::make_exception_ptr(WorkerCrashed(std::string(), std::move(report), std::move(trace)));
}

std::string describe_end(const os::ExitStatus& how, const os::CrashNotes& notes,
                         const MemoryEnd& memory) {
  return end_in_words(report_of(0, how, notes), memory);
}

std::exception_ptr timeout_of(const Job& job, std::size_t item, int pid, os::CrashNotes notes) {
  const Subject subject = subject_of(job, item);
  auto trace = std::make_shared<LazyTrace>(
      subject,
      "it ran longer than its timeout; its worker (process " + std::to_string(pid) + ") was killed",
      std::move(notes.frames));
  return std::make_exception_ptr(TaskTimeout(std::move(trace), subject.index));
}

}  // namespace brood::detail
