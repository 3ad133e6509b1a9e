// SPDX-License-Identifier: MIT
// Six squares on four worker processes: the results come in the order of the input.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <brood/brood.hpp>

// Two seconds, or as many milliseconds as BROOD_EXAMPLE_PAUSE says.
std::chrono::milliseconds length_of_work() {
  const char* const shorter = std::getenv("BROOD_EXAMPLE_PAUSE");
  return std::chrono::milliseconds(shorter != nullptr ? std::atoi(shorter) : 2000);
}

int worker(int x) {
  std::cout << "In worker with:  " + std::to_string(x) + '\n' << std::flush;
  std::this_thread::sleep_for(length_of_work());
  return x * x;
}

int main(int argc, char** argv) {
  brood::init(argc, argv);
  brood::Pool pool{4};
  const std::vector<int> squares = pool.map(worker, {0, 1, 2, 3, 4, 5});

  const char* before = "[";
  for (const int square : squares) {
    std::cout << before << square;
    before = ", ";
  }
  std::cout << "]\n";
}
