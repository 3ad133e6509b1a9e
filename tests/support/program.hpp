// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/processes.hpp"
#include "support/watchdog.hpp"

namespace brood::testing {

// Python's form: the exit code, or minus the signal.
inline int exitcode_of(int status) {
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

// A program under test whose end is the subject, in a session and a folder of its
// own. This process becomes a subreaper: whatever the program leaves behind
// becomes this one's child, so nothing of it can get out of sight.
//
// Requires: the calling process has no other children.
class Program {
 public:
  using Setup = std::function<void()>;

  // `setup` runs in the child before its exec.
  explicit Program(std::vector<std::string> words, const Setup& setup = {}) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    // The program may be gone when it's told to go.
    ::signal(SIGPIPE, SIG_IGN);
    sigset_t child;
    ::sigemptyset(&child);
    ::sigaddset(&child, SIGCHLD);
    ::sigprocmask(SIG_BLOCK, &child, &mask_);
    folder_ = std::filesystem::temp_directory_path() / "program-XXXXXX";
    if (!::mkdtemp(folder_.data())) throw std::runtime_error("cannot make " + folder_);
    std::array<int, 2> output{};
    std::array<int, 2> input{};
    if (::pipe2(output.data(), O_CLOEXEC) != 0 || ::pipe2(input.data(), O_CLOEXEC) != 0) {
      throw std::runtime_error("cannot make a pipe");
    }
    pid_ = ::fork();
    if (pid_ == 0) become(std::move(words), input[0], output[1], setup);
    ::close(input[0]);
    ::close(output[1]);
    input_end_ = input[1];
    output_end_ = output[0];
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    for (const ProcessSight& left : descendants_of(::getpid())) ::kill(left.pid, SIGKILL);
    while (::waitpid(-1, nullptr, __WALL) > 0) {
    }
    ::close(input_end_);
    ::close(output_end_);
    std::filesystem::remove_all(folder_);
    ::sigprocmask(SIG_SETMASK, &mask_, nullptr);
  }

  int pid() const { return pid_; }
  // All that it and its processes have written to stdout and stderr so far.
  const std::string& output() const { return output_; }
  void send(int signal) const { ::kill(pid_, signal); }
  // A byte on its stdin.
  void go() const { static_cast<void>(!::write(input_end_, "g", 1)); }

  // Until `text` was written so often. False when all writers are gone, or the
  // watchdog barked.
  bool says(const std::string& text, int times = 1) {
    for (;;) {
      int count = 0;
      for (auto at = output_.find(text); at != std::string::npos;
           at = output_.find(text, at + text.size())) {
        ++count;
      }
      if (count >= times) return true;
      if (!read_more()) return false;
    }
  }
  // Until nobody is left who could write.
  bool falls_silent() {
    while (read_more()) {
    }
    return silent_;
  }

  std::vector<ProcessSight> family() const { return descendants_of(::getpid()); }
  using Description = std::function<bool(const ProcessSight&)>;
  // How many processes of its family are as described.
  int count(const Description& description) const {
    const auto all = family();
    return static_cast<int>(std::count_if(all.begin(), all.end(), description));
  }
  // Waits until there are so many.
  bool has(int wanted, const Description& description) {
    return sees([&] { return count(description) == wanted; });
  }
  template <typename Fact>
  bool sees(Fact fact) {
    return watchdog_.sees([&] {
      bury_others();
      return fact();
    });
  }

  // Waits for the program's own end. Nothing when the watchdog barked.
  std::optional<int> exitcode() {
    reap_until([&] { return exitcode_.has_value(); });
    return exitcode_;
  }
  // Waits until it and all that it made has ended, and buries them. Empty, or a
  // list of what is left when the watchdog barked.
  std::string leftovers() {
    if (reap_until([] { return false; })) return {};
    return list_of(family());
  }
  std::vector<std::string> files() const { return entries_of(folder_); }

 private:
  [[noreturn]] void become(std::vector<std::string> words, int input, int output,
                           const Setup& setup) {
    ::sigprocmask(SIG_SETMASK, &mask_, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    ::setsid();
    ::dup2(input, 0);
    ::dup2(output, 1);
    ::dup2(output, 2);
    if (::chdir(folder_.c_str()) != 0) ::_exit(126);
    ::setenv("TMPDIR", folder_.c_str(), 1);
    const struct rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    if (setup) setup();
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    ::execv(arguments.front(), arguments.data());
    ::_exit(127);
  }

  // What the program left behind and died since. The program itself stays.
  void bury_others() {
    for (const ProcessSight& sight : family()) {
      if (sight.pid != pid_ && sight.parent == ::getpid() && sight.state == 'Z') {
        ::waitpid(sight.pid, nullptr, __WALL);
      }
    }
  }

  bool read_more() {
    struct pollfd readable{output_end_, POLLIN, 0};
    if (::poll(&readable, 1, watchdog_.milliseconds_left()) != 1) return false;
    std::array<char, 4096> some;
    const auto size = ::read(output_end_, some.data(), some.size());
    silent_ = size == 0;
    if (size <= 0) return false;
    output_.append(some.data(), static_cast<std::size_t>(size));
    return true;
  }

  // True when the fact is there, or no child is left.
  bool reap_until(const std::function<bool()>& fact) {
    sigset_t child;
    ::sigemptyset(&child);
    ::sigaddset(&child, SIGCHLD);
    for (;;) {
      int status = 0;
      const int ended = ::waitpid(-1, &status, __WALL | WNOHANG);
      if (ended == -1) return true;
      if (ended == pid_) exitcode_ = exitcode_of(status);
      if (fact()) return true;
      if (ended != 0) continue;
      const struct timespec left = watchdog_.time_left();
      if (::sigtimedwait(&child, nullptr, &left) == -1 && watchdog_.has_barked()) return false;
    }
  }

  Watchdog watchdog_;
  sigset_t mask_{};
  std::string folder_;
  int pid_ = 0;
  int input_end_ = -1;
  int output_end_ = -1;
  std::string output_;
  bool silent_ = false;
  std::optional<int> exitcode_;
};

}  // namespace brood::testing
