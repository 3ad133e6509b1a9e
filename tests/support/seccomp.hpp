// SPDX-License-Identifier: MIT
#pragma once

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <vector>

// A kernel that lacks some calls: a filter answers in its place.
namespace brood::testing {

struct MissingCall {
  long number;
  // Only with this as the first argument.
  std::optional<unsigned> first_argument = {};
};

// For this process and all that come of it, for good.
inline void refuse_calls(const std::vector<MissingCall>& missing, int error) {
  const auto load = [](std::size_t offset) {
    return sock_filter{BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<unsigned>(offset)};
  };
  const auto unless = [](unsigned value, unsigned char skipped) {
    return sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, skipped, value};
  };
  const auto answer = [](unsigned value) { return sock_filter{BPF_RET | BPF_K, 0, 0, value}; };
  const unsigned refusal = SECCOMP_RET_ERRNO | static_cast<unsigned>(error);

  std::vector<sock_filter> program;
  for (const MissingCall& call : missing) {
    program.push_back(load(offsetof(seccomp_data, nr)));
    if (call.first_argument) {
      program.push_back(unless(static_cast<unsigned>(call.number), 3));
      // Its low half: both machines that brood knows are little-endian.
      program.push_back(load(offsetof(seccomp_data, args)));
      program.push_back(unless(*call.first_argument, 1));
    } else {
      program.push_back(unless(static_cast<unsigned>(call.number), 1));
    }
    program.push_back(answer(refusal));
  }
  program.push_back(answer(SECCOMP_RET_ALLOW));

  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
    throw std::runtime_error("cannot set a seccomp filter");
  }
}

}  // namespace brood::testing
