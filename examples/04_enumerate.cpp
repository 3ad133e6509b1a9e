// SPDX-License-Identifier: MIT
// Every thread of the process, and the one that asks.
#include <atomic>
#include <iostream>

#include <brood/brood.hpp>

int main() {
  std::atomic<bool> enough{false};
  const auto wait = [&enough] { enough.wait(false); };

  brood::Thread heartbeat{{.name = "Heartbeat", .daemon = true}, wait};
  brood::Thread t2{{.name = "t2"}, wait};
  heartbeat.start();
  t2.start();

  const char* before = "[";
  for (const brood::ThreadInfo& thread : brood::enumerate()) {
    std::cout << before << thread;
    before = ", ";
  }
  std::cout << "]\n" << brood::current_thread() << '\n';

  enough = true;
  enough.notify_all();
  t2.join();
  heartbeat.join();
}
