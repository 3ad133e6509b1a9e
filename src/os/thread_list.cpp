// SPDX-License-Identifier: MIT
#include "os/thread_list.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <memory>

#include "os/proc_numbers.hpp"
#include "os/syscall.hpp"
#include "os/unique_fd.hpp"

namespace brood::os {
namespace {

// <linux/sched.h>, which user space does not get; shown by proc(5) as `flags`.
constexpr unsigned long flag_exiting = 0x4;

constexpr std::size_t longest_name = 15;

std::string path_of(int native_id, const char* file) {
  return "/proc/self/task/" + std::to_string(proc_entry_of(native_id)) + "/" + file;
}

// Empty when the thread or /proc is not there.
std::string read_stat(int native_id) {
  const UniqueFd file(uninterrupted(
      [&] { return ::open(path_of(native_id, "stat").c_str(), O_RDONLY | O_CLOEXEC); }));
  if (!file) return {};
  // The kernel writes the line at once, and it is shorter than this.
  std::array<char, 1024> line;
  const auto size = uninterrupted([&] { return ::read(file.get(), line.data(), line.size()); });
  return size > 0 ? std::string(line.data(), static_cast<std::size_t>(size)) : std::string();
}

// The rest of `line` after `count` more fields.
std::string_view skip_fields(std::string_view line, int count) {
  for (; count > 0; --count) {
    const auto space = line.find(' ');
    if (space == std::string_view::npos) return {};
    line.remove_prefix(space + 1);
  }
  return line;
}

// stat is `TID (NAME) STATE PPID PGRP SESSION TTY TPGID FLAGS ...`, and NAME may
// hold blanks and brackets of its own.
bool parse_stat(std::string_view line, ThreadSight& sight) {
  const auto open = line.find('(');
  const auto close = line.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open ||
      close + 2 >= line.size()) {
    return false;
  }
  sight.name = line.substr(open + 1, close - open - 1);
  line.remove_prefix(close + 2);
  sight.state = line.front();
  line = skip_fields(line, 6);
  unsigned long flags = 0;
  std::from_chars(line.data(), line.data() + line.size(), flags);
  sight.exiting = (flags & flag_exiting) != 0 || sight.state == 'Z' || sight.state == 'X';
  return true;
}

// How long the thread has been on processors, in nanoseconds; -1 if it is gone.
// The clock's number is what pthread_getcpuclockid(3) makes of a thread's id.
std::int64_t time_on_cpu(int native_id) noexcept {
  constexpr int scheduler_clock_of_thread = 4 | 2;
  struct timespec spent{};
  if (::clock_gettime(static_cast<clockid_t>((~native_id << 3) | scheduler_clock_of_thread),
                      &spent) == -1) {
    return -1;
  }
  return std::int64_t{spent.tv_sec} * 1'000'000'000 + spent.tv_nsec;
}

// No file of /proc tells a thread that executes from one that waits for its
// turn. Its clock does: the kernel brings it up to date when it is read, so it
// has moved between two readings exactly when the thread was on a processor.
bool executes(int native_id) noexcept {
  if (native_id == current_thread_id()) return true;
  const std::int64_t before = time_on_cpu(native_id);
  return before != -1 && time_on_cpu(native_id) > before;
}

}  // namespace

std::vector<int> thread_ids() {
  struct Close {
    void operator()(DIR* folder) const noexcept { ::closedir(folder); }
  };
  const std::unique_ptr<DIR, Close> folder(::opendir("/proc/self/task"));
  std::vector<int> found;
  if (!folder) return found;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string_view name = entry->d_name;
    int number = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
    if (parsed.ec != std::errc{}) continue;
    if (const int native_id = number_of_proc_entry(number); native_id != 0) {
      found.push_back(native_id);
    }
  }
  return found;
}

std::optional<ThreadSight> look_at_thread(int native_id) {
  ThreadSight sight;
  sight.native_id = native_id;
  if (!parse_stat(read_stat(native_id), sight) && !thread_exists(native_id)) return std::nullopt;
  if (sight.state == 'R' || sight.state == '?') sight.on_cpu = executes(native_id);
  return sight;
}

bool thread_exists(int native_id) noexcept {
  // Signal 0 is checked and not sent.
  return ::syscall(SYS_tgkill, ::getpid(), native_id, 0) == 0;
}

// The kernel refuses this to a process with several threads; to others it does
// nothing.
bool has_one_thread() noexcept { return ::unshare(CLONE_THREAD) == 0 || errno != EINVAL; }

int current_thread_id() noexcept { return static_cast<int>(::syscall(SYS_gettid)); }

int parent_process_id() noexcept { return static_cast<int>(::getppid()); }
int current_process_group() noexcept { return static_cast<int>(::getpgrp()); }
int current_process_id() noexcept { return ::getpid(); }

void name_thread(int native_id, std::string_view name) {
  std::size_t size = std::min(name.size(), longest_name);
  // 10xxxxxx goes on with a character.
  const auto splits = [&](std::size_t at) {
    return at < name.size() && (static_cast<unsigned char>(name[at]) & 0xC0) == 0x80;
  };
  while (size > 0 && splits(size)) --size;

  std::array<char, longest_name + 1> cut{};
  name.copy(cut.data(), size);
  if (native_id == current_thread_id()) {
    ::prctl(PR_SET_NAME, cut.data());
    return;
  }
  const UniqueFd comm(uninterrupted(
      [&] { return ::open(path_of(native_id, "comm").c_str(), O_WRONLY | O_CLOEXEC); }));
  if (comm) static_cast<void>(uninterrupted([&] { return ::write(comm.get(), cut.data(), size); }));
}

}  // namespace brood::os
