// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <ratio>
#include <type_traits>

namespace brood {

// How long a call may wait: any std::chrono duration, of integers or floats, or
// nothing at all, which is for ever. What exceeds 292 years is for ever too;
// what is negative, or not a number, is zero. A bare number does not convert.
class Timeout {
 public:
  constexpr Timeout() noexcept = default;

  template <typename Rep, typename Period>
  constexpr Timeout(std::chrono::duration<Rep, Period> span) noexcept  // NOLINT: meant to convert
      : length_(saturated(span)) {}

  constexpr bool is_forever() const noexcept { return length_ == forever; }
  // Requires: not is_forever().
  constexpr std::chrono::nanoseconds length() const noexcept {
    return std::chrono::nanoseconds{length_};
  }

 private:
  static constexpr std::int64_t forever = std::numeric_limits<std::int64_t>::max();

  template <typename Rep, typename Period>
  static constexpr std::int64_t saturated(std::chrono::duration<Rep, Period> span) noexcept {
    using Nanos = std::ratio_divide<Period, std::nano>;
    const long double length = static_cast<long double>(span.count()) *
                               static_cast<long double>(Nanos::num) /
                               static_cast<long double>(Nanos::den);
    if (!(length > 0)) return 0;  // also what is not a number
    if (length >= static_cast<long double>(forever)) return forever;
    return static_cast<std::int64_t>(length);
  }

  std::int64_t length_ = forever;
};

// The point on the monotonic clock at which a Timeout ends. Never, for the
// default one.
class Deadline {
 public:
  constexpr Deadline() noexcept = default;
  explicit Deadline(Timeout timeout) noexcept {
    if (timeout.is_forever()) return;
    const auto now = std::chrono::steady_clock::now();
    if (timeout.length() >= std::chrono::steady_clock::time_point::max() - now) return;
    at_ = now + timeout.length();
  }

  bool is_never() const noexcept { return !at_; }
  bool has_passed() const noexcept { return at_ && std::chrono::steady_clock::now() >= *at_; }
  // What is left, zero once it has passed; for ever when there is no deadline.
  Timeout left() const noexcept {
    if (!at_) return {};
    return Timeout{*at_ - std::chrono::steady_clock::now()};
  }
  // On CLOCK_MONOTONIC. Requires: not is_never().
  std::chrono::steady_clock::time_point at() const noexcept { return *at_; }

 private:
  std::optional<std::chrono::steady_clock::time_point> at_;
};

}  // namespace brood
