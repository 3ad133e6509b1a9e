// SPDX-License-Identifier: MIT
#include "os/child_setup.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio_ext.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <ext/stdio_sync_filebuf.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iostream>
#include <iterator>
#include <typeinfo>
#include <vector>

#include "os/crash_handler.hpp"
#include "os/memory_use.hpp"
#include "os/own_descriptors.hpp"
#include "os/syscall.hpp"
#include "os/unique_fd.hpp"

// Present in programs that were built with a sanitizer only.
extern "C" __attribute__((weak)) void __asan_init();
extern "C" __attribute__((weak)) void __tsan_init();

namespace brood::os {
namespace {

constexpr std::array fault_signals{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};

bool is_kept(int number) noexcept {
  // A sanitizer's own handlers are nobody's wish.
  if (__asan_init || __tsan_init) return false;
  return number == SIGABRT ||
         std::find(fault_signals.begin(), fault_signals.end(), number) != fault_signals.end();
}

// The table may hold a thousand million, so that trying each would take minutes.
bool list_descriptors(std::vector<int>& open) {
  DIR* const folder = ::opendir("/proc/self/fd");
  if (!folder) return false;
  while (const dirent* const entry = ::readdir(folder)) {
    if (entry->d_name[0] != '.') open.push_back(std::atoi(entry->d_name));
  }
  ::closedir(folder);
  return true;
}

void close_range(unsigned first, unsigned last) noexcept {
  if (first > last) return;
  if (::syscall(SYS_close_range, first, last, 0) == 0) return;
  // Before Linux 5.9, or in a sandbox.
  std::vector<int> open;
  if (!list_descriptors(open)) {
    // Without /proc: the limit is what the table can hold.
    struct rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const auto end = std::min<rlim_t>(last, limit.rlim_cur);
    for (rlim_t fd = first; fd <= end; ++fd) ::close(static_cast<int>(fd));
  }
  for (const int fd : open) {
    if (static_cast<unsigned>(fd) >= first && static_cast<unsigned>(fd) <= last) ::close(fd);
  }
}

void on_exit_leave(int code, void*) noexcept {
  if (code != 0) note_memory();
  leave(code);
}

// glibc hands the code to the handlers of quick_exit as it does to on_exit's, behind
// an argument that at_quick_exit leaves null.
void on_quick_exit_leave(void*, int code) noexcept { on_exit_leave(code, nullptr); }

// As a rule the standard streams keep nothing, and write into stdio's.
void flush_unless_in_step(std::ostream& stream) noexcept {
  std::streambuf* const buffer = stream.rdbuf();
  if (buffer && typeid(*buffer) != typeid(__gnu_cxx::stdio_sync_filebuf<char>)) buffer->pubsync();
}

}  // namespace

void lead_process_group() noexcept { ::setpgid(0, 0); }

void enter_process_group(int group) noexcept {
  if (::setpgid(0, group) == -1) lead_process_group();
}

bool tie_to_lifeline(int pipe) noexcept {
  const int own = open_anew(pipe);
  if (own == -1) return false;
  tie_to_own_end(own);
  return true;
}

int open_anew(int pipe) noexcept {
  // Without snprintf, whose code and tables a newborn would be the first to touch.
  char path[32] = "/proc/self/fd/";
  char* const digits = path + std::strlen(path);
  *std::to_chars(digits, std::end(path) - 1, pipe).ptr = '\0';
  return off_the_streams(::open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
}

void tie_to_own_end(int own) noexcept {
  // A copy that the user makes is of the same group, and holds it on.
  forget_own_descriptor(own);
  ::fcntl(own, F_SETOWN, -::getpgrp());
  ::fcntl(own, F_SETSIG, SIGKILL);
  ::fcntl(own, F_SETFL, O_NONBLOCK | O_ASYNC);
  // The end may have come before the tie.
  struct pollfd line{own, POLLIN, 0};
  if (::poll(&line, 1, 0) == 1) ::_exit(0);
}

void close_descriptors_except(std::span<int> kept) noexcept {
  std::sort(kept.begin(), kept.end());
  unsigned first = 3;
  for (const int fd : kept) {
    if (fd < 3) continue;
    const auto number = static_cast<unsigned>(fd);
    if (number > first) close_range(first, number - 1);
    first = number + 1;
  }
  close_range(first, ~0U);
  note_only(kept);
}

void read_stdin_from_null() noexcept {
  const int null = ::open("/dev/null", O_RDONLY);
  if (null == -1) {
    ::close(0);
  } else if (null != 0) {
    ::dup2(null, 0);
    ::close(null);
  }
}

void reset_signal_handlers() noexcept {
  for (int number = 1; number < NSIG; ++number) {
    // Refused for SIGKILL, SIGSTOP and glibc's own two. What is ignored stays so,
    // as exec has it: with SIGPIPE a write would kill here what it fails there.
    struct sigaction known{};
    if (::sigaction(number, nullptr, &known) == -1) continue;
    if (known.sa_handler == SIG_IGN || known.sa_handler == SIG_DFL || is_kept(number)) continue;
    ::signal(number, SIG_DFL);
  }
  // A worker is in the background of its terminal; what it prints there must not
  // stop it (stty tostop).
  ::signal(SIGTTOU, SIG_IGN);
}

// By the kernel's own call, as name_this_process: glibc's functions lie on pages that a
// newborn needs for nothing else, and a page costs it more than a call.
void unblock_signals() noexcept {
  const std::uint64_t none = 0;
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none);
}

void block_signals() noexcept {
  sigset_t all;
  ::sigfillset(&all);
  for (const int number : fault_signals) ::sigdelset(&all, number);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

void name_this_process(const char* name) noexcept {
  ::syscall(SYS_prctl, PR_SET_NAME, name, 0, 0, 0);
}

void leave_by_exit_quickly() noexcept {
  // Exit handlers run last in, first out.
  ::on_exit(on_exit_leave, nullptr);
  std::at_quick_exit(reinterpret_cast<void (*)()>(&on_quick_exit_leave));
}

void rehearse_birth() noexcept {
  constexpr int no_option = -1000;
  stack_t stack{};
  struct msghdr message{};
  ::recvmsg(-1, &message, 0);
  ::sendmsg(-1, &message, 0);
  (void)!::write(-1, nullptr, 0);
  ::lseek(-1, 0, SEEK_END);
  ::munmap(nullptr, 0);
  ::pread(-1, nullptr, 0, 0);
  ::getppid();
  ::mallopt(no_option, 0);
  ::sbrk(0);
  ::sched_getcpu();
  user_says_what_is_kept();
  ::sigaltstack(nullptr, &stack);
  [[maybe_unused]] const int last = SIGRTMAX;
  std::set_terminate(std::get_terminate());
}

void leave(int code) noexcept {
  flush_unless_in_step(std::cout);
  flush_unless_in_step(std::clog);
  std::fflush(nullptr);
  // Sanitizers have something to say at the end.
  if (__asan_init || __tsan_init) ::_exit(code);
  // The loader has found this function; _exit each process would look up for itself.
  for (;;) ::syscall(SYS_exit_group, code);
}

void flush_output() noexcept {
  flush_unless_in_step(std::cout);
  if (::__fpending(stdout) > 0) std::fflush(stdout);
}

void flush_all_output() noexcept {
  std::cout.flush();
  std::clog.flush();
  std::fflush(nullptr);
}

Pipe make_pipe() {
  int ends[2];
  check(::pipe2(ends, O_CLOEXEC), "make a pipe");
  return {ends[0], ends[1]};
}

char** environment() noexcept { return ::environ; }

void exec_self(char* const* arguments, char* const* environment) noexcept {
  ::execve("/proc/self/exe", arguments, environment);
  // Without /proc: the path by which this program was started.
  if (const auto path = ::getauxval(AT_EXECFN); path != 0) {
    ::execve(reinterpret_cast<const char*>(path), arguments, environment);
  }
  ::_exit(127);
}

void keep_on_exec(int fd) noexcept { ::fcntl(fd, F_SETFD, 0); }
void close_on_exec(int fd) noexcept { ::fcntl(fd, F_SETFD, FD_CLOEXEC); }

const char* signal_name(int number) noexcept {
  const char* const name = ::sigabbrev_np(number);
  return name ? name : "?";
}

void sleep_until_killed() noexcept {
  for (;;) ::pause();
}

void pause_for(std::chrono::milliseconds time) noexcept {
  struct timespec left{time.count() / 1000, (time.count() % 1000) * 1'000'000};
  while (::nanosleep(&left, &left) == -1 && errno == EINTR) {
  }
}

void end_by_kill() noexcept {
  ::kill(::getpid(), SIGKILL);
  sleep_until_killed();
}

void kill_group(int leader) noexcept { ::kill(-leader, SIGKILL); }

}  // namespace brood::os
