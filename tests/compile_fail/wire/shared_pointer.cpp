// SPDX-License-Identifier: MIT
#include <memory>

#include <brood/wire/require.hpp>

int main() { return brood::wire::require_encodable_argument<std::shared_ptr<int>>() ? 0 : 1; }
