// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace brood::storm {

#if defined(BROOD_KILL_POINTS)
inline constexpr bool has_kill_points = true;
#else
inline constexpr bool has_kill_points = false;
#endif

const char* name_of_point(std::size_t index) noexcept;

// Ends workers and nurseries while tasks run: from outside at any moment, and at
// each kill point in turn. Then says that it's calm.
void be_killer();

}  // namespace brood::storm
