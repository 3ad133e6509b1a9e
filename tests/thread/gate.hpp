// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <thread>

namespace brood {

// A thread waits in `pass` until another one opens. Static where a thread that
// nobody joins uses it.
class Gate {
 public:
  void open() {
    open_ = true;
    open_.notify_all();
  }
  void pass() const { open_.wait(false); }
  bool is_open() const { return open_; }

 private:
  std::atomic<bool> open_{false};
};

// Waits for a fact. What never comes true is ended by the time limit that every
// test has.
template <typename Fact>
void until(Fact fact) {
  while (!fact()) std::this_thread::yield();
}

}  // namespace brood
