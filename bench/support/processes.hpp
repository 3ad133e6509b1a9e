// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace bench {

// Memory that this process shares with all that are forked from it later: made
// before brood::init, workers have it too.
void* shared_memory(std::size_t size);

template <typename Value>
Value& shared() {
  return *new (shared_memory(sizeof(Value))) Value();
}

// CPUs that this thread, or that process, may run on.
std::vector<std::size_t> allowed_cpus();
void run_on(const std::vector<std::size_t>& cpus, pid_t process = 0);

// A child of this process as fork made it, which is killed and reaped at the end.
class Child {
 public:
  // Runs `body` in the child, which ends with it. Requires: one thread.
  template <typename Body>
  explicit Child(Body body) : pid_(fork_here()) {
    if (pid_ != 0) return;
    body();
    leave();
  }
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  pid_t pid() const noexcept { return pid_; }

 private:
  static pid_t fork_here();
  [[noreturn]] static void leave();
  pid_t pid_;
};

void futex_sleep(std::atomic<std::uint32_t>& word, std::uint32_t expected);
void futex_wake_one(std::atomic<std::uint32_t>& word);

// Bytes of a process that are in memory, and those that belong to it alone.
struct Resident {
  std::size_t all = 0;
  std::size_t own = 0;
};
Resident resident(pid_t process = 0);

// Bytes of a process in memory, of what it shares with others its part alone (PSS).
std::size_t proportional(pid_t process = 0);

// The pids of this process's children, as the kernel lists them.
std::vector<pid_t> children();

}  // namespace bench
