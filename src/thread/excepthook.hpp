// SPDX-License-Identifier: MIT
#pragma once

#include <cxxabi.h>

#include <exception>

#include <brood/base/error.hpp>

namespace brood::detail {

// What `body` throws, or null. The unwinding of pthread_exit passes: glibc ends
// the program if anybody stops it.
//
// A value and not a handler of its own, because while an exception is being
// handled the C++ runtime ends the program on catching that unwinding. The
// unwinding is no object: libstdc++ gives a null reference, which is not read
// here, and which a sanitizer is not to report; nor in a caller, so not inlined.
template <typename Body>
__attribute__((noinline, no_sanitize("null"))) std::exception_ptr error_of(Body body) {
  try {
    body();
  } catch (const abi::__forced_unwind&) {
    throw;
  } catch (...) {
    if (std::exception_ptr error = std::current_exception()) return error;
    // One of another language has no C++ object that could be handed on.
    return std::make_exception_ptr(OwnError("an exception of another language"));
  }
  return nullptr;
}

// Hands the error to the excepthook, in the name of the calling thread. Throws
// nothing but the unwinding of pthread_exit.
//
// Requires: no exception is being handled.
void report_uncaught(const std::exception_ptr& error);

}  // namespace brood::detail
