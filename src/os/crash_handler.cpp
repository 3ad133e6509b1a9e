// SPDX-License-Identifier: MIT
//
// What runs in a signal handler here may be anywhere: inside malloc, at the end
// of the stack, in front of an image that is half loaded. It allocates nothing,
// and takes no lock but the loader's own in `place` (where the C library has no
// way without).
//
//     the first thread --> writes the record --> ends by its signal
//                             | faults itself
//                             v
//                          leaves the walk by `escape`, goes on as above
//     any other thread --> waits for that end; a moment later it ends the process
#include "os/crash_handler.hpp"

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "os/child_setup.hpp"
#include "os/poller.hpp"

namespace brood::os {
namespace {

constexpr std::array fatal_signals{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP};

// Away from both ends, where debuggers and other libraries take theirs.
int stack_signal() noexcept { return SIGRTMAX - 2; }

// A walk needs 10 KiB, the kernel's own frame up to 12 on machines with wide
// registers.
constexpr std::size_t handler_stack_size = std::size_t{128} << 10;

// An access this near to the stack pointer that faults has met the stack's end.
constexpr std::uintptr_t near_the_stack = std::uintptr_t{64} << 10;

struct Recorder {
  CrashRecord* record = nullptr;
  PlaceOf place = nullptr;
  int pid = 0;
  int bell = -1;
  std::atomic<int> thread{0};  // the one that writes, 0 as long as none does
  volatile sig_atomic_t walking = 0;
  MemoryUse known_memory;  // zeros: not to be told of
  sigjmp_buf escape{};
};
constinit Recorder recorder;

int this_thread() noexcept { return static_cast<int>(::syscall(SYS_gettid)); }

// The registers where the signal came, by reference: the unwinder reads the same.
struct Interrupted {
#if defined(__x86_64__)
  explicit Interrupted(void* context) noexcept
      : code(static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]),
        stack(static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RSP]) {}
  greg_t& code;
  greg_t& stack;
#elif defined(__aarch64__)
  explicit Interrupted(void* context) noexcept
      : code(static_cast<ucontext_t*>(context)->uc_mcontext.pc),
        stack(static_cast<ucontext_t*>(context)->uc_mcontext.sp) {}
  unsigned long long& code;
  unsigned long long& stack;
#else
#error "brood knows the registers of x86-64 and of 64-bit ARM"
#endif
};

void add_frame(std::uintptr_t address) noexcept {
  CrashRecord& record = *recorder.record;
  const std::uint32_t count = record.frame_count.load(std::memory_order_relaxed);
  // Greater where a task wrote over the record.
  if (count >= CrashRecord::most_frames) return;
  // First what can't fail.
  record.frames[count] = {0, address};
  record.frame_count.store(count + 1, std::memory_order_release);
  record.frames[count] = recorder.place(address);
}

struct Walk {
  std::uintptr_t from;  // where the signal came; the frames before are the handler's
  bool begun;
};

_Unwind_Reason_Code step(_Unwind_Context* context, void* data) noexcept {
  auto& walk = *static_cast<Walk*>(data);
  int exact = 0;  // not an address to return to, which is one past the call
  const std::uintptr_t address = _Unwind_GetIPInfo(context, &exact);
  if (!walk.begun && address != walk.from) return _URC_NO_REASON;
  walk.begun = true;
  add_frame(exact != 0 ? address : address - 1);
  return recorder.record->frame_count.load(std::memory_order_relaxed) == CrashRecord::most_frames
             ? _URC_END_OF_STACK
             : _URC_NO_REASON;
}

// A call through a bad pointer left no way to unwind from where it went. On this
// machine the caller's address is on top of the stack: a walk that begins in the
// caller is told so by changing, for as long as it lasts, where the signal came.
void walk_from(Interrupted at) noexcept {
  Walk walk{static_cast<std::uintptr_t>(at.code), false};
#if defined(__x86_64__)
  if (recorder.place(walk.from).image == 0) {
    add_frame(walk.from);
    walk.from = *reinterpret_cast<const std::uintptr_t*>(at.stack);
    at.code = static_cast<greg_t>(walk.from);
    at.stack += static_cast<greg_t>(sizeof(std::uintptr_t));
  }
#endif
  _Unwind_Backtrace(step, &walk);
  if (!walk.begun) add_frame(walk.from);
}

void take_stack(Interrupted at) noexcept {
  const auto code = at.code;
  const auto stack = at.stack;
  if (sigsetjmp(recorder.escape, 0) == 0) {
    recorder.walking = 1;
    walk_from(at);
  }
  recorder.walking = 0;
  at.code = code;
  at.stack = stack;
}

bool has_fault_address(const siginfo_t& info) noexcept {
  if (info.si_code <= 0 || info.si_code == SI_KERNEL) return false;
  return info.si_signo == SIGSEGV || info.si_signo == SIGBUS || info.si_signo == SIGILL ||
         info.si_signo == SIGFPE;
}

void write_record(const siginfo_t& info, Interrupted at) noexcept {
  CrashRecord& record = *recorder.record;
  record.signal = info.si_signo;
  record.code = info.si_code;
  if (has_fault_address(info)) {
    const auto address = reinterpret_cast<std::uintptr_t>(info.si_addr);
    const auto distance = address - static_cast<std::uintptr_t>(at.stack) + near_the_stack;
    record.address = address;
    record.has_address = 1;
    record.stack_overflow =
        (info.si_signo == SIGSEGV || info.si_signo == SIGBUS) && distance < 2 * near_the_stack;
  }
  note_memory();
  record.state.store(CrashRecord::State::begun, std::memory_order_release);
  take_stack(at);
  record.state.store(CrashRecord::State::complete, std::memory_order_release);
}

// The signal's own effect. A fault comes back by itself when the handler returns,
// and a core dump then shows where; what was sent is sent again.
void end_by(const siginfo_t& info) noexcept {
  const int number = info.si_signo;
  struct sigaction plain{};
  plain.sa_handler = SIG_DFL;
  ::sigaction(number, &plain, nullptr);
  const bool faults_again = info.si_code > 0 && (number == SIGSEGV || number == SIGBUS ||
                                                 number == SIGILL || number == SIGFPE);
  if (!faults_again) ::syscall(SYS_tgkill, ::getpid(), this_thread(), number);
}

// Whoever puts this handler back by signal() drops the flag that has the kernel
// fill `info` in.
siginfo_t trusted(int number, const siginfo_t* info) noexcept {
  struct sigaction now{};
  ::sigaction(number, nullptr, &now);
  if ((now.sa_flags & SA_SIGINFO) != 0) return *info;
  siginfo_t bare{};
  bare.si_signo = number;
  return bare;
}

void on_fatal_signal(int number, siginfo_t* given, void* context) noexcept {
  const siginfo_t info = trusted(number, given);
  const int self = this_thread();
  int writer = 0;
  if (::getpid() != recorder.pid) {
    // A forked child: the record isn't its own, and not even mapped there.
  } else if (recorder.thread.compare_exchange_strong(writer, self)) {
    write_record(info, Interrupted(context));
  } else if (writer == self && recorder.walking != 0) {
    ::siglongjmp(recorder.escape, 1);
  } else if (writer != self) {
    struct timespec moment{1, 0};
    ::nanosleep(&moment, nullptr);
  }
  end_by(info);
}

void on_stack_wanted(int, siginfo_t* info, void* context) noexcept {
  const int error = errno;
  int writer = 0;
  // Others may send this signal too, for reasons of their own.
  if (this_thread() == recorder.pid && recorder.record->wanted.load(std::memory_order_acquire) &&
      recorder.thread.compare_exchange_strong(writer, recorder.pid)) {
    write_record(*info, Interrupted(context));
    Bell::ring(recorder.bell);
    sleep_until_killed();
  }
  errno = error;
}

using Handler = void (*)(int, siginfo_t*, void*) noexcept;

void handle_unless_handled(int number, Handler handler) noexcept {
  struct sigaction before{};
  ::sigaction(number, nullptr, &before);
  if ((before.sa_flags & SA_SIGINFO) != 0 || before.sa_handler != SIG_DFL) return;
  struct sigaction ours{};
  ours.sa_sigaction = handler;
  // Not deferred: a fault in the handler comes to the handler again.
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART;
  ::sigaction(number, &ours, nullptr);
}

void give_handlers_a_stack() noexcept {
  void* const memory = ::mmap(nullptr, handler_stack_size, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return;
  stack_t stack{};
  stack.ss_sp = memory;
  stack.ss_size = handler_stack_size;
  ::sigaltstack(&stack, nullptr);
}

_Unwind_Reason_Code look_on(_Unwind_Context* context, void* place) noexcept {
  int exact = 0;
  (*static_cast<PlaceOf*>(place))(_Unwind_GetIPInfo(context, &exact));
  return _URC_NO_REASON;
}

}  // namespace

void tell_what_is_added_to(const MemoryUse& known) noexcept { recorder.known_memory = known; }

void note_memory() noexcept {
  const MemoryUse& known = recorder.known_memory;
  if (known.data == 0 || ::getpid() != recorder.pid) return;
  const std::size_t has = memory_use().data;
  const std::size_t had_most = most_resident_memory();
  recorder.record->added_memory.store(has - std::min(has, known.data), std::memory_order_release);
  recorder.record->peak_memory.store(had_most - std::min(had_most, known.resident),
                                     std::memory_order_release);
}

void rehearse_walk(PlaceOf place) noexcept {
  static constinit bool rehearsed = false;  // perhaps by the process that this is a copy of
  if (rehearsed) return;
  rehearsed = true;
  _Unwind_Backtrace(look_on, &place);
}

void record_crashes(CrashRecord& record, int bell, PlaceOf place) noexcept {
  recorder.record = &record;
  recorder.place = place;
  recorder.bell = bell;
  recorder.pid = ::getpid();
  rehearse_walk(place);
  give_handlers_a_stack();
  for (const int number : fatal_signals) handle_unless_handled(number, on_fatal_signal);
  handle_unless_handled(stack_signal(), on_stack_wanted);
}

void ask_for_stack(const Child& child, CrashRecord& record) noexcept {
  record.wanted.store(1, std::memory_order_release);
  // The child is not reaped, so its number isn't another's. To the thread that runs
  // tasks, which has the process's number.
  ::syscall(SYS_tgkill, child.pid, child.pid, stack_signal());
}

}  // namespace brood::os
