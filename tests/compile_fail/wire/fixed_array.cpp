// SPDX-License-Identifier: MIT
#include <string>

#include <brood/wire/require.hpp>

struct Label {
  const std::string text;
  char code[8];
};

int main() { return brood::wire::require_encodable_argument<Label>() ? 0 : 1; }
