// SPDX-License-Identifier: MIT
#include <string_view>

#include <brood/wire/require.hpp>

struct Line {
  int number;
  std::string_view text;
};

int main() { return brood::wire::require_encodable_argument<Line>() ? 0 : 1; }
