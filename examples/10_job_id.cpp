// SPDX-License-Identifier: MIT
// A submitted task has an id, which the caller polls between other things to do.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <thread>

#include <brood/brood.hpp>

// Two seconds, or as many milliseconds as BROOD_EXAMPLE_PAUSE says.
std::chrono::milliseconds length_of_work() {
  const char* const shorter = std::getenv("BROOD_EXAMPLE_PAUSE");
  return std::chrono::milliseconds(shorter != nullptr ? std::atoi(shorter) : 2000);
}

int worker(int x) {
  std::this_thread::sleep_for(length_of_work());
  return x * x;
}

void do_other_things() {
  std::cout << '.' << std::flush;
  std::this_thread::sleep_for(length_of_work() / 10);
}

int main(int argc, char** argv) {
  brood::init(argc, argv);
  brood::Pool pool{2};

  const brood::AsyncResult<int> result = pool.apply_async(worker, 6);
  const brood::JobId job = result.id();
  std::cout << "Submitted\n";

  brood::JobState state = pool.poll(job);
  while (state == brood::JobState::queued || state == brood::JobState::running) {
    do_other_things();
    state = pool.poll(job);
  }
  std::cout << '\n' << state << ": " << result.get() << '\n';
}
