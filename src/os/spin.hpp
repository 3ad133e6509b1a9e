// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>

#include <brood/base/timeout.hpp>

#include "os/steady_now.hpp"

namespace brood::os {

// Looking again and again for a moment before going to sleep, as long as that
// has paid lately: a sleeper on an idle core takes some 50 us to wake on a
// virtual machine. Not the first time: of many newborn workers each would take a core
// from the next. After each spin in vain twice as many sleeps pass before the
// next try, up to 4096; one that paid makes the next sure again.
//
// A look takes the cache line away from who is about to write there. So the first one
// comes when four of five times it's the only one. Until then it looks at the clock, which
// is finer than a pause (those take 40 ns and more) and tells for free when it was.
//
// Safety: one thread.
class Spin {
 public:
  using Clock = std::chrono::steady_clock;

  // `done` is asked until it's true or the time is over. True when it was. `begin`: since
  // when it's waited for, by who has just looked at the clock.
  template <typename Done>
  bool until(Done done) noexcept {
    return is_paused() ? done() : look(steady_now(), done);
  }
  template <typename Done>
  bool until(Clock::time_point begin, Done done) noexcept {
    return is_paused() ? done() : look(begin, done);
  }
  // The same where each look lets others have the core first, who may be about to do what it waits
  // for: then there's no time for which the first one had better wait.
  template <typename Done>
  bool until_giving_way(Done done) noexcept {
    quiet_ = std::chrono::nanoseconds(0);
    return until(done);
  }

  // Whether to go to sleep at once: there's less time than a look takes to pay.
  static bool is_hurried(const Deadline& deadline) {
    return !deadline.is_never() && deadline.left().length() < std::chrono::milliseconds(1);
  }

  // A moment just before the look that paid; none at all (the clock's zero) where it did not
  // wait. Not an optional: what is put together of two writes can't be read at once.
  Clock::time_point latest() const noexcept { return latest_; }

  // Something has changed, so that the next one may pay whatever the last ones did.
  void hope() noexcept { pause_ = 0; }
  // It went to sleep, and what it waited for came so long afterwards: where it did not look this
  // time, and that would have paid, the next one may. For who lets others have the core while
  // it looks.
  void learn(Clock::duration asleep) noexcept {
    if (!has_looked_ && asleep < longest) hope();
  }

 private:
  bool is_paused() noexcept {
    has_looked_ = pause_ == 0;
    if (has_looked_) return false;
    --pause_;
    latest_ = {};
    return true;
  }

  template <typename Done>
  bool look(Clock::time_point begin, Done& done) noexcept {
    latest_ = begin;
    for (const auto first = begin + quiet_; latest_ < first;) latest_ = steady_now();
    unsigned looks = 1;
    for (; !done(); ++looks) {
      if (looks >= few) __builtin_ia32_pause();
      const auto now = steady_now();
      if (now - begin >= longest) return miss();
      latest_ = now;
    }
    missed_ = 0;
    if (looks == 1 && quiet_.count() != 0) quiet_ -= step;
    if (looks > 1 && looks < few && quiet_ < most_quiet) quiet_ += hits_a_step * step;
    return true;
  }

  bool miss() noexcept {
    missed_ = missed_ < most_missed ? missed_ + 1 : most_missed;
    pause_ = 1U << missed_;
    latest_ = {};
    return false;
  }

  static constexpr std::chrono::microseconds longest{100};
  static constexpr unsigned most_missed = 12;
  static constexpr unsigned few = 8;
  static constexpr int hits_a_step = 4;
  static constexpr std::chrono::nanoseconds step{2};
  static constexpr std::chrono::nanoseconds most_quiet{500};
  unsigned missed_ = 0;
  unsigned pause_ = 1;
  bool has_looked_ = false;
  std::chrono::nanoseconds quiet_{0};  // before the first look
  Clock::time_point latest_{};
};

}  // namespace brood::os
