// SPDX-License-Identifier: MIT
#pragma once

#include <poll.h>

#include <chrono>
#include <stdexcept>
#include <string>

// Tests wait for facts. A fact that does not come in this time never will.
namespace brood::testing {

class Watchdog {
 public:
  explicit Watchdog(std::chrono::seconds patience = std::chrono::seconds(30))
      : end_(std::chrono::steady_clock::now() + patience) {}

  bool has_barked() const { return std::chrono::steady_clock::now() >= end_; }
  int milliseconds_left() const {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end_ - std::chrono::steady_clock::now());
    return left.count() > 0 ? static_cast<int>(left.count()) : 0;
  }
  struct timespec time_left() const {
    const int left = milliseconds_left();
    return {left / 1000, (left % 1000) * 1'000'000L};
  }

  // Asks again and again until the fact is there. For what has no descriptor to
  // wait on.
  template <typename Fact>
  bool sees(Fact fact) const {
    for (;;) {
      if (fact()) return true;
      if (has_barked()) return false;
      ::poll(nullptr, 0, 1);
    }
  }

 private:
  std::chrono::steady_clock::time_point end_;
};

}  // namespace brood::testing
