// SPDX-License-Identifier: MIT
#include "os/rough_clock.hpp"

#include <cstdint>

namespace brood::os {
namespace {

constexpr std::chrono::nanoseconds fraction_of(RoughStamp stamp) noexcept {
  constexpr RoughStamp mask = (RoughStamp{1} << rough_fraction_bits) - 1;
  return std::chrono::nanoseconds(std::int64_t{stamp & mask} << rough_nanosecond_shift);
}

}  // namespace

std::chrono::milliseconds between(RoughStamp earlier, RoughStamp later) noexcept {
  if (static_cast<std::int32_t>(later - earlier) <= 0) return {};
  const RoughStamp seconds = (later >> rough_fraction_bits) - (earlier >> rough_fraction_bits);
  const std::chrono::nanoseconds fraction = fraction_of(later) - fraction_of(earlier);
  return std::chrono::round<std::chrono::milliseconds>(
      std::chrono::seconds(seconds & (~RoughStamp{0} >> rough_fraction_bits)) + fraction);
}

}  // namespace brood::os
