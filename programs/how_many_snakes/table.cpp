// SPDX-License-Identifier: MIT
#include "how_many_snakes/table.hpp"

#include <cstdio>

namespace snakes {

std::string table_head() { return "context    workers  wall time  speedup  efficiency      MB/s"; }

std::string table_line(const Report& report, const Row& row) {
  char line[128];
  std::snprintf(line, sizeof line, "%-9s %8zu %8.3f s %8.2f %9.0f %% %9.1f",
                std::string(to_string(row.kind)).c_str(), row.workers, row.seconds,
                report.speedup(row), 100 * report.efficiency(row), report.rate(row) / 1e6);
  return line;
}

}  // namespace snakes
