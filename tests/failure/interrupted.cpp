// SPDX-License-Identifier: MIT
//
// interrupted CONTEXT MANNER: a program in front of a terminal, whose workers are
// busy. "heedless" waits for a result, with no handler; "handling" has one, and goes
// on.
#include <termios.h>

#include "failure/victim.hpp"

namespace {

using namespace brood::testing;

constexpr int pool_size = 2;
volatile sig_atomic_t handled = 0;

void spin_until_stopped() {
  say("at it");
  while (!brood::this_task::stop_token().stop_requested()) {
  }
}
void spin() {
  say("at it");
  for (volatile bool forever = true; forever;) {
  }
}
int square(int x) { return x * x; }

void wait_heedlessly(brood::Pool& pool) {
  auto never = pool.apply_async(spin);
  pool.apply_async(spin);
  never.get();
}

void handle_and_go_on(brood::Pool& pool) {
  for (const int number : {SIGINT, SIGQUIT, SIGTERM, SIGHUP}) {
    ::signal(number, [](int) { handled = handled + 1; });
  }
  brood::AsyncResult<void> busy[pool_size];
  for (auto& each : busy) each = pool.apply_async(spin_until_stopped);
  say("ready");
  while (handled == 0) busy[0].wait(std::chrono::milliseconds(1));
  say(busy[0].ready() ? "a task was interrupted" : "the tasks go on");
  for (auto& each : busy) each.cancel(std::chrono::hours(1));
  const bool right = pool.map(square, {1, 2, 3}) == std::vector<int>{1, 4, 9};
  say(right && pool.stats().respawned == 0 && pool.stats().workers == pool_size
          ? "the pool works on"
          : "the pool was disturbed");
}

// No carriage returns: lines look as they were written.
void set_plain_output() {
  struct termios line{};
  ::tcgetattr(STDOUT_FILENO, &line);
  line.c_oflag &= ~static_cast<tcflag_t>(OPOST);
  ::tcsetattr(STDOUT_FILENO, TCSANOW, &line);
}

}  // namespace

int main(int argc, char** argv) {
  brood::init(argc, argv);
  if (argc != 3) return 2;
  set_plain_output();
  brood::Pool pool({.processes = pool_size, .context = context_named(argv[1])});
  pool.map(square, {1, 2, 3});
  if (std::string(argv[2]) == "heedless") wait_heedlessly(pool);
  handle_and_go_on(pool);
  return 0;
}
