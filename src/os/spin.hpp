// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>

namespace brood::os {

// Looking again and again for a moment before going to sleep, as long as that
// has paid lately: a sleeper on an idle core takes some 50 us to wake on a
// virtual machine. Not the first time: of many newborn workers each would take a core
// from the next. After each spin in vain twice as many sleeps pass before the
// next try, up to 256; one that paid makes the next sure again.
//
// Safety: one thread.
class Spin {
 public:
  // `done` is asked until it's true or the time is over. True when it was.
  template <typename Done>
  bool until(Done done) noexcept {
    if (pause_ != 0) {
      --pause_;
      return done();
    }
    // What comes at once costs no look at the clock.
    if (is_soon(done)) return true;
    const auto end = std::chrono::steady_clock::now() + longest;
    do {
      if (is_soon(done)) return true;
    } while (std::chrono::steady_clock::now() < end);
    missed_ = missed_ < 8 ? missed_ + 1 : 8;
    pause_ = 1U << missed_;
    return false;
  }

 private:
  template <typename Done>
  bool is_soon(Done& done) noexcept {
    for (int i = 0; i < 32; ++i) {
      if (done()) {
        missed_ = 0;
        return true;
      }
      __builtin_ia32_pause();
    }
    return false;
  }

  static constexpr std::chrono::microseconds longest{100};
  unsigned missed_ = 0;
  unsigned pause_ = 1;
};

}  // namespace brood::os
