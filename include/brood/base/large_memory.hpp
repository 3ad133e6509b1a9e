// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include <brood/base/export.hpp>

namespace brood::detail {

// Memory that is about to be written for the first time, all of it: in huge pages,
// where the kernel has them (madvise(2), MADV_HUGEPAGE), it's there sooner. Small
// memory is left alone.
BROOD_EXPORT void expect_to_be_filled(void* begin, std::size_t size) noexcept;

}  // namespace brood::detail
