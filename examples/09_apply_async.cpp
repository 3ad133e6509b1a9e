// SPDX-License-Identifier: MIT
// Tasks that run while main goes on: one is waited for, one reports to a callback.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>

#include <brood/brood.hpp>

using namespace std::chrono_literals;

// Two seconds, or as many milliseconds as BROOD_EXAMPLE_PAUSE says.
std::chrono::milliseconds length_of_work() {
  const char* const shorter = std::getenv("BROOD_EXAMPLE_PAUSE");
  return std::chrono::milliseconds(shorter != nullptr ? std::atoi(shorter) : 2000);
}

void collect_results(int result) {
  std::cout << "In collect results:  " + std::to_string(result) + '\n' << std::flush;
}

int worker(int x) {
  std::cout << "In worker:  " + std::to_string(x) + '\n' << std::flush;
  std::this_thread::sleep_for(length_of_work());
  return x * x;
}

int main(int argc, char** argv) {
  brood::init(argc, argv);
  brood::Pool pool{2};

  const brood::AsyncResult<int> result = pool.apply_async(worker, 2);
  std::cout << "Blocking result: " + std::to_string(result.get(5s)) + '\n' << std::flush;

  pool.apply_async({.callback = collect_results}, worker, 3);
  pool.close();
  pool.join();  // returns after the last callback
}
