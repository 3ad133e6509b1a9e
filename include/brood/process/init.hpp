// SPDX-License-Identifier: MIT
#pragma once

#include <brood/base/export.hpp>

namespace brood {

// The first line of main. Starts the nursery: a tiny process, made before the
// program has threads or a large heap, of which all later workers are copies.
// They see globals, environment, locale and working directory as they are now;
// what comes later travels as arguments, `initializer` or `preload`.
//
// In a process that brood itself started as a worker (Context::spawn) it does
// not return. A second call does nothing. A program that never calls it works as
// well, if it has one thread when its first Pool or Process is made.
//
// Throws: ContextError when other threads run already, and names them;
// SystemError when the kernel refuses a process.
BROOD_EXPORT void init(int argc, char** argv);
BROOD_EXPORT void init();

}  // namespace brood
