// SPDX-License-Identifier: MIT
#include "support/in_own_process.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>

namespace bench {

void in_own_process(const std::function<void()>& part) {
  std::fflush(stdout);
  const pid_t pid = ::fork();
  if (pid == 0) {
    try {
      part();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "cannot finish a benchmark: %s\n", error.what());
      std::exit(1);
    }
    std::exit(0);
  }
  int status = 0;
  if (pid < 0 || ::waitpid(pid, &status, 0) != pid || status != 0) std::exit(1);
}

}  // namespace bench
