// SPDX-License-Identifier: MIT
#include <string_view>

#include <brood/wire/require.hpp>

int main() { return brood::wire::require_encodable_result<std::string_view>() ? 0 : 1; }
