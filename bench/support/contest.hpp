// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "support/spread.hpp"

namespace bench {

// Measures brood and its yardsticks in turns, a round each, again and again: a
// machine that others use too drifts, and then it drifts for all of them.
// Ratios are taken within a round.
class Contest {
 public:
  using Round = std::function<double()>;

  // `round` does the work once and returns the measured number.
  void add(std::string name, Round round);
  // One round of each warms up and isn't counted. Asleep, each round is the first
  // after the others' ones; awake, one that isn't counted comes before it, so that
  // processes and threads have woken up.
  enum class Start { asleep, awake };
  void run(int rounds, Start start = Start::asleep);

  bool has(const std::string& name) const;
  // Requires: run(), has(name).
  Spread of(const std::string& name) const;
  Spread ratio(const std::string& name, const std::string& yardstick) const;

  struct Entry {
    std::string name;
    Round round;
    std::vector<double> numbers;
  };
  const std::vector<Entry>& entries() const noexcept { return entries_; }

 private:
  const Entry& find(const std::string& name) const;
  std::vector<Entry> entries_;
};

}  // namespace bench
