// SPDX-License-Identifier: MIT

#include <brood/wire/require.hpp>

int main() { return brood::wire::require_encodable_result<const char*>() ? 0 : 1; }
