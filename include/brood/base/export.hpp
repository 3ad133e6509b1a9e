// SPDX-License-Identifier: MIT
#pragma once

// Marks what users of the shared library may link against. The library is built
// with hidden visibility, so all else stays inside.
#define BROOD_EXPORT __attribute__((visibility("default")))
