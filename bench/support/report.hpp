// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "support/contest.hpp"
#include "support/spread.hpp"

namespace bench {

// A bound that the project has set itself.
struct Goal {
  enum class Bound { at_most, at_least };
  Bound bound;
  double limit;
};
inline Goal at_most(double limit) { return {Goal::Bound::at_most, limit}; }
inline Goal at_least(double limit) { return {Goal::Bound::at_least, limit}; }

// Writes what was measured to stdout, a line each of fields between tabs:
//
//     claim <name>
//     measured <what> <unit> <median> <low> <high>
//     goal <what> <unit> <median> <low> <high> <= or >= <limit>
//     absent <yardstick> <why>
//     plot <file> <x axis> <x unit> <y axis> <y unit>
//     point <curve> <x> <median> <low> <high>
//
// bench/report.py reads them.
class Report {
 public:
  explicit Report(const std::string& claim);

  void measured(const std::string& what, const std::string& unit, const Spread& numbers);
  // All of a contest's own numbers.
  void measured(const Contest& contest, const std::string& unit);
  void goal(const std::string& what, const std::string& unit, const Spread& numbers, Goal goal);
  // The ratio of two of them, as a goal; nothing where the yardstick is absent.
  void ratio(const Contest& contest, const std::string& name, const std::string& yardstick,
             Goal goal);
  // A yardstick that isn't on this machine: it's named, never guessed.
  void absent(const std::string& yardstick, const std::string& why);

  // What stands along an axis, on a scale of logarithms.
  struct Axis {
    std::string name;
    std::string unit;
  };
  // A picture of this claim, of points that follow. `file`: its name without an end.
  void plot(const std::string& file, const Axis& x, const Axis& y);
  // A curve has the name of a contest's entry.
  void points(double x, const Contest& contest);
};

}  // namespace bench
