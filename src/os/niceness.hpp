// SPDX-License-Identifier: MIT
#pragma once

namespace brood::os {

// From most_favoured to least_favoured, of the calling thread: Linux has one for each,
// though POSIX would have one for the process. What it starts inherits it.
inline constexpr int most_favoured = -20;
inline constexpr int least_favoured = 19;

int niceness() noexcept;
// False where this process may not go so low.
bool set_niceness(int niceness) noexcept;
// Found out by trying: for a moment the calling thread has it.
bool may_have_niceness(int niceness) noexcept;

}  // namespace brood::os
