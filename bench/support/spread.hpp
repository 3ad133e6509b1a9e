// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

namespace bench {

// What rounds of the same measurement gave.
struct Spread {
  double median = 0;
  double low = 0;
  double high = 0;
};

// Requires: at least one value.
Spread spread_of(std::vector<double> values);

}  // namespace bench
