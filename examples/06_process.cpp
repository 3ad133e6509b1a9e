// SPDX-License-Identifier: MIT
//
// A function in a process of its own: what it changes there changes nothing here.
#include <brood/brood.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <thread>

namespace {

int counter = 0;

void count(const std::string& what, int times) {
  for (int i = 0; i < times; ++i) ++counter;
  std::cout << brood::current_process().name() << " counted " << counter << ' ' << what << " for "
            << brood::parent_process()->name() << '\n';
}

void sleep_for_long() {
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

}  // namespace

int main(int argc, char** argv) {
  using namespace std::chrono_literals;
  brood::init(argc, argv);

  brood::Process p{{.name = "counter"}, count, "snakes", 3};
  std::cout << p << '\n';
  p.start();
  p.join();
  std::cout << "exit code " << *p.exitcode() << ", and here are " << counter << '\n';

  brood::Process sleeper{{.name = "sleeper", .daemon = true}, sleep_for_long};
  sleeper.start();
  std::cout << std::boolalpha << "alive: " << sleeper.is_alive()
            << ", ended by itself: " << sleeper.join(10ms) << '\n';
  sleeper.terminate();
  sleeper.join();
  std::cout << "exit code " << *sleeper.exitcode() << '\n';
  sleeper.close();
}
