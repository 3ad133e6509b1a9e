// SPDX-License-Identifier: MIT
#include "os/pidfd.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>

#include "os/syscall.hpp"

namespace brood::os {
namespace {

#ifndef P_PIDFD
constexpr auto id_is_pidfd = static_cast<idtype_t>(3);
#else
constexpr auto id_is_pidfd = static_cast<idtype_t>(P_PIDFD);
#endif

// Linux 6.15 keeps the status of a process for whoever holds its pidfd. As in
// <linux/pidfd.h>, which is too old in most places.
struct PidfdInfo {
  std::uint64_t mask;
  std::uint64_t cgroup;
  std::uint32_t ids[11];
  std::int32_t status;
};
static_assert(sizeof(PidfdInfo) == 64);
constexpr std::uint64_t info_exit = 8;
constexpr unsigned long get_info = _IOWR(0xFF, 11, PidfdInfo);

ExitStatus status_without_reaping(int pidfd) noexcept {
  PidfdInfo info{};
  info.mask = info_exit;
  if (::ioctl(pidfd, get_info, &info) == -1 || (info.mask & info_exit) == 0) {
    return {0, 255};
  }
  if (WIFSIGNALED(info.status)) return {WTERMSIG(info.status), 0};
  return {0, WEXITSTATUS(info.status)};
}

// poll() takes milliseconds; rounded up, so that it never returns early and
// spins.
int poll_timeout(const Deadline& deadline) {
  if (deadline.is_never()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.left().length());
  return static_cast<int>(
      std::min<std::chrono::milliseconds::rep>(left.count(), std::numeric_limits<int>::max()));
}

}  // namespace

bool wait_for_end(int pidfd, const Deadline& deadline) {
  for (;;) {
    struct pollfd watched{pidfd, POLLIN, 0};
    const int ready = ::poll(&watched, 1, poll_timeout(deadline));
    if (ready > 0) return true;
    if (ready == -1 && errno != EINTR) throw_system_error(errno, "wait for a child");
    if (deadline.has_passed()) return false;
  }
}

std::optional<ExitStatus> reap(const Child& child) {
  siginfo_t info{};
  const auto wait_by = [&info](idtype_t kind, int id) {
    return uninterrupted(
        [&] { return ::waitid(kind, static_cast<id_t>(id), &info, WEXITED | WNOHANG | __WALL); });
  };
  int result = wait_by(id_is_pidfd, child.pidfd.get());
  // Before Linux 5.4, or in a sandbox. Unreaped, the child keeps its number.
  if (result == -1 && errno != ECHILD) result = wait_by(P_PID, child.pid);
  if (result == -1) {
    if (errno == ECHILD) return status_without_reaping(child.pidfd.get());
    throw_system_error(errno, "reap a child");
  }
  if (info.si_pid == 0) return std::nullopt;
  if (info.si_code == CLD_EXITED) return ExitStatus{0, info.si_status};
  return ExitStatus{info.si_status, 0};
}

bool send_signal(int pidfd, int signal) noexcept {
  return ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) == 0;
}

bool send_signal(const Child& child, int signal) noexcept {
  if (send_signal(child.pidfd.get(), signal)) return true;
  // In a sandbox without the call. Unreaped, the child keeps its number.
  return errno != ESRCH && ::kill(child.pid, signal) == 0;
}

void signal_this_process(int signal) noexcept { ::kill(::getpid(), signal); }

void send_signal_to_group(const Child& leader, int signal) noexcept {
  // The leader is not reaped, so the number of its group can't be another's. It
  // may not have made the group yet: then it alone is there to be hit.
  if (::kill(-leader.pid, signal) == -1) send_signal(leader, signal);
}

void end_child(int pid) noexcept {
  // Unreaped, it keeps its number. What it has started is in its group, if it got
  // that far.
  ::kill(pid, SIGKILL);
  ::kill(-pid, SIGKILL);
  siginfo_t info{};
  uninterrupted([&] { return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | __WALL); });
}

UniqueFd open_pidfd(int pid) {
  return UniqueFd(static_cast<int>(
      check(::syscall(SYS_pidfd_open, pid, 0), "open a pidfd of process " + std::to_string(pid))));
}

}  // namespace brood::os
