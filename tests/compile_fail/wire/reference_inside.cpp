// SPDX-License-Identifier: MIT
#include <string>

#include <brood/wire/require.hpp>

struct Counter {
  int& total;
  std::string name;
};

int main() { return brood::wire::require_encodable_argument<Counter>() ? 0 : 1; }
