// SPDX-License-Identifier: MIT
#include <map>
#include <vector>

#include <brood/wire/require.hpp>

struct Row {
  int id;
  double* cells;
};
struct Table {
  std::map<int, std::vector<Row>> rows;
};

int main() { return brood::wire::require_encodable_argument<const Table&>() ? 0 : 1; }
