// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>

namespace brood::detail {

// One line on stderr that tells how far a map is. Only where that is a terminal.
class ProgressBar {
 public:
  static constexpr std::chrono::milliseconds interval{100};

  static bool is_wanted() noexcept;

  explicit ProgressBar(std::size_t total) noexcept : total_(total) {}
  void show(std::size_t done);
  void finish(std::size_t done);

 private:
  std::size_t total_;
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

}  // namespace brood::detail
