// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "how_many_snakes/machine.hpp"

namespace snakes {

enum class Kind { serial, threads, processes };

std::string_view to_string(Kind kind);

// One run over all files.
struct Row {
  Kind kind = Kind::serial;
  std::size_t workers = 1;
  double seconds = 0;
};

// All runs, the serial one first, then by kind with growing numbers of workers.
struct Report {
  std::vector<Row> rows;
  std::uint64_t bytes = 0;     // in the files
  double longest_seconds = 0;  // of one file, serially
  double others = 0;           // share of the machine's CPUs that other programs used meanwhile

  const Row& serial() const { return rows.front(); }
  double speedup(const Row& row) const { return serial().seconds / row.seconds; }
  double efficiency(const Row& row) const {
    return speedup(row) / static_cast<double>(row.workers);
  }
  // Bytes a second.
  double rate(const Row& row) const { return static_cast<double>(bytes) / row.seconds; }
};

// One worker more is worth it from this gain in speed on.
inline constexpr double least_gain = 0.05;

// What others may use of the machine before the numbers say little.
inline constexpr double most_others = 0.10;

// A serial run of less says little: births and noise are as long.
inline constexpr double least_seconds = 0.2;

struct Answer {
  std::size_t workers = 1;
  double speedup = 1;
  // What one worker more gains; nothing where no larger number was tried.
  std::optional<double> next_gain;

  // Whether it is worth having a pool at all.
  bool pays() const { return speedup >= 1 + least_gain; }
};

// The first number of workers after which one more gains less than least_gain.
// Where numbers were left out, the gain is spread evenly over them. Nothing when
// no run was of that kind.
std::optional<Answer> answer_of(const Report& report, Kind kind);

// The answer in sentences, and why, for whoever asks for each of the kinds.
std::string explain(const Report& report, const Machine& machine);

}  // namespace snakes
