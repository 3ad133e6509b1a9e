// SPDX-License-Identifier: MIT
// A thread is made, started, and asked who it is.
#include <iostream>
#include <string>

#include <brood/brood.hpp>

void simple_worker(const std::string& greeting) { std::cout << greeting << std::endl; }

int main() {
  brood::Thread t1{simple_worker, "hello"};
  std::cout << std::boolalpha << t1.is_alive() << std::endl;  // false
  t1.start();                                                 // prints hello
  t1.join();
  std::cout << t1.native_id() << std::endl;  // the kernel's number of the thread
}
