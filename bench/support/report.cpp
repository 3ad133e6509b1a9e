// SPDX-License-Identifier: MIT
#include "support/report.hpp"

#include <cstdio>

namespace bench {
namespace {

void put(const char* kind, const std::string& what, const std::string& unit,
         const Spread& numbers) {
  std::printf("%s\t%s\t%s\t%.9g\t%.9g\t%.9g", kind, what.c_str(), unit.c_str(), numbers.median,
              numbers.low, numbers.high);
}

void end_line() {
  std::putchar('\n');
  std::fflush(stdout);
}

}  // namespace

Report::Report(const std::string& claim) {
  std::printf("claim\t%s", claim.c_str());
  end_line();
}

void Report::measured(const std::string& what, const std::string& unit, const Spread& numbers) {
  put("measured", what, unit, numbers);
  end_line();
}

void Report::measured(const Contest& contest, const std::string& unit) {
  for (const auto& entry : contest.entries()) {
    measured(entry.name, unit, contest.of(entry.name));
  }
}

void Report::goal(const std::string& what, const std::string& unit, const Spread& numbers,
                  Goal goal) {
  put("goal", what, unit, numbers);
  std::printf("\t%s\t%.9g", goal.bound == Goal::Bound::at_most ? "<=" : ">=", goal.limit);
  end_line();
}

void Report::ratio(const Contest& contest, const std::string& name, const std::string& yardstick,
                   Goal bound) {
  if (!contest.has(yardstick)) return;
  goal(name + " / " + yardstick, "x", contest.ratio(name, yardstick), bound);
}

void Report::absent(const std::string& yardstick, const std::string& why) {
  std::printf("absent\t%s\t%s", yardstick.c_str(), why.c_str());
  end_line();
}

void Report::plot(const std::string& file, const Axis& x, const Axis& y) {
  std::printf("plot\t%s\t%s\t%s\t%s\t%s", file.c_str(), x.name.c_str(), x.unit.c_str(),
              y.name.c_str(), y.unit.c_str());
  end_line();
}

void Report::points(double x, const Contest& contest) {
  for (const auto& entry : contest.entries()) {
    const Spread numbers = contest.of(entry.name);
    std::printf("point\t%s\t%.15g\t%.9g\t%.9g\t%.9g", entry.name.c_str(), x, numbers.median,
                numbers.low, numbers.high);
    end_line();
  }
}

}  // namespace bench
