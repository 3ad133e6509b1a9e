// SPDX-License-Identifier: MIT
#include "support/arithmetic.hpp"

#include <algorithm>

#include "support/stopwatch.hpp"

namespace bench {

std::uint64_t work(std::uint64_t steps) {
  std::uint64_t number = steps | 1;
  for (std::uint64_t i = 0; i < steps; ++i) {
    number ^= number << 13;
    number ^= number >> 7;
    number ^= number << 17;
  }
  return number;
}

double steps_a_microsecond() {
  constexpr std::uint64_t steps = 2'000'000;
  double best = 0;
  for (int i = 0; i < 5; ++i) {
    std::uint64_t result = 0;
    const double taken = seconds([&] { result = work(steps); });
    keep(result);
    best = std::max(best, static_cast<double>(steps) / taken / 1e6);
  }
  return best;
}

}  // namespace bench
