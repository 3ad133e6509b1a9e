// SPDX-License-Identifier: MIT
#pragma once

// The door of the room `process`: one child is started, watched and ended.
#include <brood/process/init.hpp>
#include <brood/process/process.hpp>
#include <brood/process/process_info.hpp>
