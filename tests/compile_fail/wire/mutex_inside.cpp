// SPDX-License-Identifier: MIT
#include <mutex>

#include <brood/wire/require.hpp>

struct Guarded {
  std::mutex mutex;
  int value;
};

int main() { return brood::wire::require_encodable_argument<Guarded>() ? 0 : 1; }
