// SPDX-License-Identifier: MIT
#pragma once

// The room `process`: one child is started, watched and ended.
#include <brood/process/init.hpp>
