// SPDX-License-Identifier: MIT

#include <brood/wire/require.hpp>

int main() { return brood::wire::require_encodable_argument<int*>() ? 0 : 1; }
