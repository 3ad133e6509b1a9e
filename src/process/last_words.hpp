// SPDX-License-Identifier: MIT
#pragma once

#include "os/crash_record.hpp"

namespace brood::process {

// In a child, before it runs anything of the user's: a signal or an exception that
// ends it is written down first. `bell` is rung when it told where it is because it
// was asked to.
void leave_last_words(os::CrashRecord& record, int bell) noexcept;

// In a nursery: what takes its time the first time is so done for all its children.
void rehearse_last_words() noexcept;

}  // namespace brood::process
