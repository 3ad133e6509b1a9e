// SPDX-License-Identifier: MIT
//
// doomed CONTEXT WORKERS END: brings a pool's workers into a state, says "ready",
// and comes to an end.
#include <fcntl.h>
#include <sys/prctl.h>

#include <stdexcept>
#include <thread>

#include "failure/victim.hpp"

namespace {

using namespace brood::testing;

constexpr int pool_size = 2;

void do_nothing() {}

void spin_with_signals_blocked() {
  block_all_signals();
  say("at it");
  for (volatile bool forever = true; forever;) {
  }
}

// A SIGCONT or SIGHUP would not do.
void stop_with_signals_blocked() {
  block_all_signals();
  say("at it");
  ::raise(SIGSTOP);
  for (volatile bool forever = true; forever;) {
  }
}

void have_children() {
  if (::fork() == 0) {
    block_all_signals();
    say("grandchild");
    wait_for_a_signal();
  }
  say("at it");
  static_cast<void>(!std::system("sleep 1000"));  // NOLINT(concurrency-mt-unsafe)
}

// The program forks; the copy outlives it, and ends when it's told to.
void have_a_copy() {
  if (::fork() != 0) return;
  say("copy " + std::to_string(::getpid()));
  ::signal(SIGTERM, SIG_DFL);
  wait_for_a_signal();
}

// One that left its parent's group and session, as daemons do.
void have_a_daemon() {
  if (::fork() == 0) {
    ::setsid();
    ::prctl(PR_SET_NAME, "daemon");
    say("grandchild");
    wait_for_a_signal();
  }
  say("at it");
  wait_for_a_signal();
}

void keep_busy(brood::Pool& pool, const std::string& workers) {
  for (int i = 0; i < pool_size; ++i) {
    if (workers == "idle") pool.apply(do_nothing);
    if (workers == "spinning") pool.apply_async(spin_with_signals_blocked);
    if (workers == "stopped") pool.apply_async(stop_with_signals_blocked);
    if (workers == "parents") pool.apply_async(have_children);
    if (workers == "daemons") pool.apply_async(have_a_daemon);
  }
}

// The tester goes on when the workers are in their state.
void await_go() {
  say("ready");
  char go = 0;
  static_cast<void>(!::read(STDIN_FILENO, &go, 1));
}

void end_by(const std::string& end) {
  if (end == "exception") throw std::runtime_error("out of main");
  if (end == "exit") std::exit(3);
  if (end == "_exit") ::_exit(4);
  if (end == "abort") std::abort();
  if (end == "exec") ::execl("/bin/cat", "cat", nullptr);
  if (end == "signal") wait_for_a_signal();
}

}  // namespace

int main(int argc, char** argv) {
  brood::init(argc, argv);
  if (argc != 4) return 2;
  brood::Pool pool({.processes = pool_size, .context = context_named(argv[1])});
  keep_busy(pool, argv[2]);
  if (std::string(argv[2]) == "copied") have_a_copy();
  await_go();
  end_by(argv[3]);
  return 0;
}
