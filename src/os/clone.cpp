// SPDX-License-Identifier: MIT
#include "os/clone.hpp"

#include <linux/sched.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <string>

#include <brood/base/error.hpp>

#include "os/native_thread.hpp"
#include "os/syscall.hpp"

namespace brood::os {
namespace {

// The address where glibc keeps this thread's kernel id; the kernel knows it
// from set_tid_address. Null where the kernel was built without the question.
void* thread_id_address() noexcept {
  void* address = nullptr;
  return ::prctl(PR_GET_TID_ADDRESS, &address, 0, 0, 0) == 0 ? address : nullptr;
}

struct RobustList {
  void* head = nullptr;
  std::size_t size = 0;
};

RobustList robust_list() noexcept {
  RobustList list;
  ::syscall(SYS_get_robust_list, 0, &list.head, &list.size);
  return list;
}

long clone_legacy(std::uint64_t flags, int* pidfd, void* tid) noexcept {
  // x86-64's order: flags, stack, parent_tid (which receives the pidfd),
  // child_tid, tls.
  return ::syscall(SYS_clone, flags, nullptr, pidfd, tid, 0);
}

std::atomic<std::uint32_t> copies{0};
void count_copy() noexcept { copies.fetch_add(1); }
[[maybe_unused]] const bool are_forks_counted = (at_fork(count_copy, nullptr, nullptr), true);

}  // namespace

std::uint32_t copies_made() noexcept { return copies.load(); }

void throw_no_process(int code, const char* what) {
  std::string text = std::string("cannot ") + what + ": " + reason(code);
  if (code == EAGAIN) {
    text += "; the limit of processes and threads is reached (ulimit -u, or the container's)";
  }
  throw SystemError(code, text);
}

CloneResult clone_process(Parent parent, int* newborn, Table table) {
  void* const tid = thread_id_address();
  const RobustList robust = robust_list();
  count_copy();
  int pidfd = -1;

  std::uint64_t how = CLONE_PIDFD;
  if (tid) how |= CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
  if (parent == Parent::callers_parent) how |= CLONE_PARENT;
  if (table == Table::shared) how |= CLONE_FILES;

  struct clone_args request{};
  request.flags = how;
  request.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
  request.child_tid = reinterpret_cast<std::uintptr_t>(tid);
  if (newborn) {
    request.flags |= CLONE_PARENT_SETTID;
    request.parent_tid = reinterpret_cast<std::uintptr_t>(newborn);
  }

  long pid = ::syscall(SYS_clone3, &request, sizeof request);
  // Old kernels, and sandboxes that can't look into clone3's argument.
  if (pid == -1 && (errno == ENOSYS || errno == EPERM)) pid = clone_legacy(how, &pidfd, tid);
  if (pid == -1) throw_no_process(errno, "make a process");

  if (pid == 0) {
    // The kernel forgets the list at a clone; without it a robust mutex that this
    // process holds when it's killed would never be given on.
    if (robust.head) ::syscall(SYS_set_robust_list, robust.head, robust.size);
    return {Side::child, {}};
  }
  if (newborn) *newborn = static_cast<int>(pid);
  return {Side::parent, {static_cast<int>(pid), UniqueFd(pidfd)}};
}

}  // namespace brood::os
