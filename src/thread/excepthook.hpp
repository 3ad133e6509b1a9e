// SPDX-License-Identifier: MIT
#pragma once

namespace brood::detail {

// Hands the exception that is being handled to the excepthook, in the name of
// the calling thread. Throws nothing but the unwinding of pthread_exit.
//
// Requires: called from a catch clause.
void report_uncaught();

}  // namespace brood::detail
