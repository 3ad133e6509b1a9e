// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace snakes {

// Whether somebody watches stderr.
bool is_watched();

// Says on stderr, where that is a terminal, which run is under way, above the bar
// of its progress, and takes both away when the run has ended.
class Caption {
 public:
  explicit Caption(const std::string& text);
  // The bar must have ended its line.
  void clear();
};

// The bar of the serial run; those of the pools draw their own.
class Bar {
 public:
  explicit Bar(std::uint64_t total) : total_(total) {}
  void add(std::uint64_t amount);
  void finish();

 private:
  void draw() const;

  std::uint64_t total_;
  std::uint64_t done_ = 0;
  std::chrono::steady_clock::time_point drawn_{};
};

}  // namespace snakes
