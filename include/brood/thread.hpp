// SPDX-License-Identifier: MIT
#pragma once

// The door of the room `thread`: one thread is started, named and ended.
#include <brood/thread/excepthook.hpp>
#include <brood/thread/thread.hpp>
#include <brood/thread/thread_info.hpp>
#include <brood/thread/timer.hpp>
