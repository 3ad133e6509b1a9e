// SPDX-License-Identifier: MIT

#include <brood/wire/require.hpp>

union Either {
  int number;
  float fraction;
};

int main() { return brood::wire::require_encodable_argument<Either>() ? 0 : 1; }
