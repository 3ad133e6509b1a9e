// SPDX-License-Identifier: MIT
#include <functional>

#include <brood/wire/require.hpp>

int main() { return brood::wire::require_encodable_argument<std::function<int(int)>>() ? 0 : 1; }
