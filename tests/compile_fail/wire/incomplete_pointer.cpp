// SPDX-License-Identifier: MIT
#include <memory>

#include <brood/wire/require.hpp>

struct Hidden;
struct Outside {
  std::unique_ptr<Hidden> inside;
};

int main() { return brood::wire::require_encodable_argument<Outside>() ? 0 : 1; }
