// SPDX-License-Identifier: MIT
// join() makes main wait for the thread, so `Done` comes after the last dot.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <thread>

#include <brood/brood.hpp>

// One second, or as many milliseconds as BROOD_EXAMPLE_PAUSE says.
std::chrono::milliseconds pause_between_dots() {
  const char* const shorter = std::getenv("BROOD_EXAMPLE_PAUSE");
  return std::chrono::milliseconds(shorter != nullptr ? std::atoi(shorter) : 1000);
}

void worker() {
  for (int i = 0; i < 10; ++i) {
    std::cout << '.' << std::flush;
    std::this_thread::sleep_for(pause_between_dots());
  }
}

int main() {
  std::cout << "Starting\n" << std::flush;
  brood::Thread t2{{.name = "t2"}, worker};
  t2.start();
  t2.join();
  std::cout << "\nDone\n";
}
