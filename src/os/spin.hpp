// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>

namespace brood::os {

// Looking again and again for a moment before going to sleep, as long as that
// has paid lately: a sleeper on an idle core takes some 50 us to wake on a
// virtual machine. Not the first time: of many newborn workers each would take a core
// from the next. After each spin in vain twice as many sleeps pass before the
// next try, up to 4096; one that paid makes the next sure again.
//
// A look takes the cache line away from who is about to write there. So the first one
// comes when four of five times it's the only one.
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
    for (unsigned i = 0; i < quiet_ / hits_a_step; ++i) __builtin_ia32_pause();
    // What comes at once costs no look at the clock.
    if (const unsigned looks = looks_until(done); looks != 0) {
      if (looks == 1 && quiet_ > 0) --quiet_;
      if (looks > 1 && looks < few && quiet_ < most_quiet) quiet_ += hits_a_step;
      return true;
    }
    const auto end = std::chrono::steady_clock::now() + longest;
    do {
      if (looks_until(done) != 0) return true;
    } while (std::chrono::steady_clock::now() < end);
    missed_ = missed_ < most_missed ? missed_ + 1 : most_missed;
    pause_ = 1U << missed_;
    return false;
  }

  // Something has changed, so that the next one may pay whatever the last ones did.
  void hope() noexcept { pause_ = 0; }

 private:
  // Up to 32. 0: in vain.
  template <typename Done>
  unsigned looks_until(Done& done) noexcept {
    for (unsigned looks = 1; looks <= 32; ++looks) {
      if (done()) {
        missed_ = 0;
        return looks;
      }
      __builtin_ia32_pause();
    }
    return 0;
  }

  static constexpr std::chrono::microseconds longest{100};
  static constexpr unsigned most_missed = 12;
  static constexpr unsigned few = 8;
  static constexpr unsigned hits_a_step = 4;
  static constexpr unsigned most_quiet = 12 * hits_a_step;
  unsigned missed_ = 0;
  unsigned pause_ = 1;
  unsigned quiet_ = 0;  // pauses before the first look, times hits_a_step
};

}  // namespace brood::os
