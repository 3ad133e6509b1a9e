// SPDX-License-Identifier: MIT
// Three threads run one function, each with variables of its own.
#include <array>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <thread>

#include <brood/brood.hpp>

// One second, or as many milliseconds as BROOD_EXAMPLE_PAUSE says.
std::chrono::milliseconds pause_between_marks() {
  const char* const shorter = std::getenv("BROOD_EXAMPLE_PAUSE");
  return std::chrono::milliseconds(shorter != nullptr ? std::atoi(shorter) : 1000);
}

void worker() {
  constexpr std::array marks{'a', 'b', 'c', 'd', 'e', 'f', 'g'};
  std::random_device dice;
  const char prefix = marks[std::uniform_int_distribution<std::size_t>{0, marks.size() - 1}(dice)];
  for (int i = 0; i < 10; ++i) {
    std::cout << prefix + std::to_string(i) + ' ' << std::flush;
    std::this_thread::sleep_for(pause_between_marks());
  }
}

int main() {
  std::cout << "Starting\n" << std::flush;
  brood::Thread ta{{.name = "ta"}, worker};
  brood::Thread tb{{.name = "tb"}, worker};
  brood::Thread tc{{.name = "tc"}, worker};
  ta.start();
  tb.start();
  tc.start();
  std::cout << "\nDone\n" << std::flush;
  ta.join();
  tb.join();
  tc.join();
  std::cout << '\n';
}
