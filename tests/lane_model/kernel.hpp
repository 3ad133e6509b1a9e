// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "state_set.hpp"

// The kernel of a model's world. kernel.cpp also defines those functions of
// brood::os that the files under test call.
namespace brood::model {

class Kernel {
 public:
  void reset() noexcept;
  Hash state() const noexcept;
  std::string who_sleeps() const;

  // Memory is handed out in the order of its making, one lane after another.
  int next_lane() noexcept { return lanes_made_++; }

  bool sleeps(unsigned fiber) const noexcept { return sleepers_[fiber].count != 0; }
  // Returns when one of the words was woken, or at once when one has changed.
  struct Place {
    const void* word;
    std::uint32_t expected;
  };
  void wait(const Place* places, unsigned count);
  void wake(const void* word, int sleepers);

  void forget(unsigned fiber) noexcept { sleepers_[fiber] = {}; }

  void ring() noexcept { rung_ = true; }
  bool is_rung() const noexcept { return rung_; }
  void quiet() noexcept { rung_ = false; }

 private:
  static constexpr std::size_t most_places = 4;
  struct Sleeper {
    const void* words[most_places] = {};
    unsigned count = 0;
    bool woken = false;
  };
  Sleeper sleepers_[8] = {};
  int lanes_made_ = 0;
  bool rung_ = false;
};

Kernel& kernel() noexcept;

}  // namespace brood::model
