// SPDX-License-Identifier: MIT
#include "how_many_snakes/measure.hpp"

#include <iostream>

#include "how_many_snakes/table.hpp"

namespace snakes {
namespace {

class Measuring {
 public:
  Measuring(const Baseline& baseline, const Options& options)
      : baseline_(baseline), options_(options) {
    Report& report = result_.report;
    report.bytes = bytes_of(baseline.files);
    report.longest_seconds = baseline.longest_seconds;
    std::cout << table_head() << '\n';
    add({Kind::serial, 1, baseline.seconds});
  }

  Measurement run() && {
    for (const Kind kind : options_.kinds) {
      for (const std::size_t workers : worker_counts(options_.workers)) {
        const Row row = fastest(kind, workers);
        if (!result_.differences.empty()) return std::move(result_);
        add(row);
      }
    }
    result_.report.others = baseline_.watch.others();
    return std::move(result_);
  }

 private:
  Row fastest(Kind kind, std::size_t workers) {
    Row row{kind, workers, 0};
    for (std::size_t i = 0; i < options_.repeat && result_.differences.empty(); ++i) {
      const Run run = run_on_pool(baseline_.files, kind, workers);
      if (i == 0 || run.seconds < row.seconds) row.seconds = run.seconds;
      compare(run.outcomes);
    }
    return row;
  }

  void compare(const Outcomes& outcomes) {
    Differences found = differences(baseline_, outcomes);
    result_.differences = std::move(found.wrong);
    result_.changed.insert(found.changed.begin(), found.changed.end());
  }

  void add(const Row& row) {
    result_.report.rows.push_back(row);
    std::cout << table_line(result_.report, row) << std::endl;
  }

  const Baseline& baseline_;
  const Options& options_;
  Measurement result_;
};

}  // namespace

std::vector<std::size_t> worker_counts(std::size_t most) {
  std::vector<std::size_t> counts;
  std::size_t step = 1;
  for (std::size_t count = 1; count <= most; count += step) {
    counts.push_back(count);
    if (count == 8 * step) step *= 2;
  }
  if (counts.back() != most) counts.push_back(most);
  return counts;
}

Measurement measure(const Baseline& baseline, const Options& options) {
  return Measuring(baseline, options).run();
}

}  // namespace snakes
