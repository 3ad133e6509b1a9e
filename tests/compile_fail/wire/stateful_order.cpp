// SPDX-License-Identifier: MIT
#include <set>

#include <brood/wire/require.hpp>

int main() {
  return brood::wire::require_encodable_argument<std::set<int, bool (*)(int, int)>>() ? 0 : 1;
}
