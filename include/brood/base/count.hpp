// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace brood {

// A number of things, from any integral type, so that `.processes = n` compiles
// whatever n's type is; or not given. Whoever takes one refuses what makes no
// sense there (zero workers, -1 items) with a ValueError that names the field.
class Count {
 public:
  constexpr Count() noexcept = default;

  template <std::integral Number>
    requires(!std::same_as<Number, bool>)
  constexpr Count(Number number) noexcept  // NOLINT: meant to convert
      : number_(saturated(number)), given_(true) {}

  constexpr bool given() const noexcept { return given_; }
  // Requires: given().
  constexpr std::int64_t number() const noexcept { return number_; }

 private:
  template <typename Number>
  static constexpr std::int64_t saturated(Number number) noexcept {
    if constexpr (std::is_unsigned_v<Number> && sizeof(Number) >= sizeof(std::int64_t)) {
      constexpr auto most = static_cast<Number>(std::numeric_limits<std::int64_t>::max());
      return static_cast<std::int64_t>(number < most ? number : most);
    } else {
      return static_cast<std::int64_t>(number);
    }
  }

  std::int64_t number_ = 0;
  bool given_ = false;
};

inline constexpr std::uint64_t KiB = 1024;
inline constexpr std::uint64_t MiB = 1024 * KiB;
inline constexpr std::uint64_t GiB = 1024 * MiB;

}  // namespace brood
