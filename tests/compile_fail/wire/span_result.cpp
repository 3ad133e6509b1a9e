// SPDX-License-Identifier: MIT
#include <span>

#include <brood/wire/require.hpp>

int main() { return brood::wire::require_encodable_result<std::span<int>>() ? 0 : 1; }
