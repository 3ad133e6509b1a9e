// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <string>
#include <string_view>

namespace brood::os {

// The one seam between errno and brood: nowhere outside this room is it read.

// Repeats `call` while a signal handler interrupts it. Not for close(), which
// has already released the descriptor when it reports EINTR.
template <typename Call>
auto uninterrupted(Call call) {
  for (;;) {
    auto result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}

// Throws SystemError: "cannot <what>: <the system's reason>".
[[noreturn]] void throw_system_error(int code, std::string_view what);

// Returns `result`, or throws what errno says if it is -1.
template <typename Result>
Result check(Result result, std::string_view what) {
  if (result == -1) throw_system_error(errno, what);
  return result;
}

// The system's words for an errno value, and what to do where that is known.
std::string reason(int code);

}  // namespace brood::os
