// SPDX-License-Identifier: MIT
#pragma once

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include <brood/brood.hpp>

// What programs under test have in common.
namespace brood::testing {

// At once, and whole: the test reads it, also from processes that never flush.
inline void say(std::string_view text) {
  const std::string line = std::string(text) + '\n';
  static_cast<void>(!::write(STDOUT_FILENO, line.data(), line.size()));
}

inline void block_all_signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, nullptr);
}

inline Context context_named(std::string_view name) {
  for (const Context context : {Context::forkserver, Context::fork, Context::spawn}) {
    const std::string_view known = context == Context::forkserver ? "forkserver"
                                   : context == Context::fork     ? "fork"
                                                                  : "spawn";
    if (name == known) return context;
  }
  std::cerr << "no such context: " << name << '\n';
  std::exit(2);
}

[[noreturn]] inline void wait_for_a_signal() {
  for (;;) ::pause();
}

}  // namespace brood::testing
