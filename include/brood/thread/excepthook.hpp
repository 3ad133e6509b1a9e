// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <functional>

#include <brood/base/export.hpp>
#include <brood/thread/thread_info.hpp>

namespace brood {

// Says who hears of an exception that leaves a thread's target. The hook runs in
// that thread; afterwards the thread ends as if the target had returned. The
// default prints `Exception in thread NAME: TYPE: what()` to stderr; an empty
// function brings it back. A hook that throws is itself reported there, in one
// line. A target that leaves by pthread_exit reports nothing.
//
// Safety: at any time, from any thread; a report under way keeps its old hook.
BROOD_EXPORT void set_excepthook(std::function<void(const ThreadInfo&, std::exception_ptr)> hook);

}  // namespace brood
