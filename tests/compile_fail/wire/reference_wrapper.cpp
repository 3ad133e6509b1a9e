// SPDX-License-Identifier: MIT
#include <functional>

#include <brood/wire/require.hpp>

int main() {
  return brood::wire::require_encodable_argument<std::reference_wrapper<int>>() ? 0 : 1;
}
