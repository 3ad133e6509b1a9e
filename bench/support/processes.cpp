// SPDX-License-Identifier: MIT
#include "support/processes.hpp"

#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace bench {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// In /proc.
std::string name_of(pid_t process) { return process == 0 ? "self" : std::to_string(process); }

}  // namespace

void* shared_memory(std::size_t size) {
  void* const memory =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail("cannot map shared memory");
  return memory;
}

std::vector<std::size_t> allowed_cpus() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) fail("cannot read the affinity");
  std::vector<std::size_t> cpus;
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

void run_on(const std::vector<std::size_t>& cpus, pid_t process) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const std::size_t cpu : cpus) CPU_SET(cpu, &set);
  if (::sched_setaffinity(process, sizeof set, &set) != 0) fail("cannot set the affinity");
}

pid_t Child::fork_here() {
  const pid_t pid = ::fork();
  if (pid < 0) fail("cannot fork");
  return pid;
}

void Child::leave() { ::_exit(0); }

Child::~Child() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void futex_sleep(std::atomic<std::uint32_t>& word, std::uint32_t expected) {
  ::syscall(SYS_futex, &word, FUTEX_WAIT, expected, nullptr, nullptr, 0);
}

void futex_wake_one(std::atomic<std::uint32_t>& word) {
  ::syscall(SYS_futex, &word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

Resident resident(pid_t process) {
  const std::string name = name_of(process);
  std::ifstream file("/proc/" + name + "/statm");
  std::size_t size = 0;
  std::size_t pages = 0;
  std::size_t shared_pages = 0;
  if (!(file >> size >> pages >> shared_pages)) {
    throw std::runtime_error("cannot read the memory of process " + name);
  }
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return {pages * page, (pages - shared_pages) * page};
}

std::size_t proportional(pid_t process) {
  const std::string name = name_of(process);
  std::ifstream file("/proc/" + name + "/smaps_rollup");
  for (std::string word; file >> word;) {
    std::size_t kibibytes = 0;
    if (word == "Pss:" && file >> kibibytes) return kibibytes << 10;
  }
  throw std::runtime_error("cannot read the memory of process " + name);
}

std::vector<pid_t> children() {
  std::vector<pid_t> found;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "children");
    for (pid_t pid = 0; file >> pid;) found.push_back(pid);
  }
  return found;
}

}  // namespace bench
