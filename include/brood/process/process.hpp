// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <brood/base/context.hpp>
#include <brood/base/export.hpp>
#include <brood/base/timeout.hpp>
#include <brood/process/process_target.hpp>

namespace brood {

struct ProcessOptions {
  // Empty: `Process-N`; within a Process named so, `Process-N:M`.
  std::string name{};
  // It dies with the program, however that ends. Not given: as the process that
  // makes it is itself.
  std::optional<bool> daemon{};
  // forkserver, fork or spawn.
  Context context = Context::forkserver;
};

namespace detail {
class ProcessRecord;
BROOD_EXPORT std::shared_ptr<ProcessRecord> make_process_record(ProcessOptions options,
                                                                wire::ErasedCall target);
}  // namespace detail

// A function that runs beside its caller, in an address space of its own.
//
//     brood::Process cook{{.name = "cook"}, boil, 3, "eggs"};
//     cook.start();
//     cook.join();
//     if (cook.exitcode() != 0) ...
//
// Target and arguments travel as those of a Pool's task, and are encoded when the
// Process is made; for Context::fork they are kept, and may be anything. What the
// target returns is ignored: the exit code is 0, that of `exit`, or 1 for an
// exception, which is printed to stderr.
//
// A Process that is destroyed, or assigned to, while it runs is joined; a daemon
// is left alone. When `main` returns or calls exit, daemons are killed and the
// others waited for. A daemon leads a process group, so that its own children die
// with it; the others belong to the program's group, so that Ctrl-C ends them too.
//
// Each function but the constructors throws ContextError in a child that the user
// forked, and, but for name, ValueError after close().
//
// Safety: one Process may be asked, joined and killed from many threads at once;
// closing, moving and destroying it are for one thread alone.
class BROOD_EXPORT Process {
 public:
  // In Context::forkserver. A target that can't travel doesn't compile.
  // Throws: ShipError for a captured pointer into this process's memory.
  template <typename Target, typename... Args>
    requires(!std::same_as<std::remove_cvref_t<Target>, Process> &&
             !std::same_as<std::remove_cvref_t<Target>, ProcessOptions>)
  explicit Process(Target&& target, Args&&... args)
      : record_(detail::make_process_record(
            {}, detail::ship_call(std::forward<Target>(target), std::forward<Args>(args)...))) {}

  // Throws: ValueError for a context that has no processes; ShipError for a target
  // that can't travel, unless the context is fork.
  template <typename Target, typename... Args>
  Process(ProcessOptions options, Target&& target, Args&&... args)
      : record_(detail::make_process_record(
            options, detail::bind_call(options.context, std::forward<Target>(target),
                                       std::forward<Args>(args)...))) {}

  // One that was moved from has no process: it can be destroyed and assigned to.
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();

  // Returns when the process is born. One start only.
  // Throws: ValueError; ContextError (see brood::init; for Context::fork when
  // other threads run); SystemError where the kernel refuses a process. After the
  // latter two the Process is as it was before.
  // Blocks: for the birth, some 0.3 ms.
  void start();

  // Waits for the end. Any number of times, from any threads; false when the time
  // passed first. Throws: ValueError before the start.
  // Blocks: until the end or the timeout.
  bool join(Timeout timeout = {});

  bool is_alive() const;

  // The kernel's number, kept after the end. 0 before the start.
  int pid() const;
  std::string name() const;
  bool daemon() const;

  // Nothing before the start and while it runs; -9 when signal 9 ended it; 255 when
  // another wait of the program took the code (of Context::spawn: also one for any
  // child, or when SIGCHLD is ignored).
  std::optional<int> exitcode() const;

  // SIGTERM, SIGKILL. Nothing happens when it has ended.
  // Throws: ValueError before the start.
  void terminate();
  void kill();

  // Gives up what is kept of a process that has ended or was never started.
  // Throws: ValueError while it runs.
  void close();

  // A descriptor for poll: readable when the process has ended, and valid until
  // close(). Throws: ValueError before the start.
  int sentinel() const;

 private:
  friend BROOD_EXPORT std::ostream& operator<<(std::ostream& out, const Process& process);

  void give_up() noexcept;

  std::shared_ptr<detail::ProcessRecord> record_;
};

// <Process(cook, initial)>, <Process(cook, started daemon 4711)>,
// <Process(cook, stopped 4711, exitcode -9)>, <Process(cook, closed)>
BROOD_EXPORT std::ostream& operator<<(std::ostream& out, const Process& process);

}  // namespace brood
