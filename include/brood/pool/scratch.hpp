// SPDX-License-Identifier: MIT
#pragma once

#include <brood/base/export.hpp>
#include <brood/wire/writer.hpp>

namespace brood::detail {

// Empty, for bytes on their way into a job; kept by the thread from call to call, so
// that no call allocates for them.
BROOD_EXPORT wire::Buffer& scratch();

}  // namespace brood::detail
