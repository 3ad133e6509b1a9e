// SPDX-License-Identifier: MIT
#include "process/identity.hpp"

#include <utility>

#include <brood/process/process_info.hpp>

#include "os/thread_list.hpp"

namespace brood {
namespace process {
namespace {

// Never destroyed: exit handlers may still ask.
Identity& own() noexcept {
  static Identity& identity = *new Identity;
  return identity;
}

}  // namespace

const Identity& identity() noexcept { return own(); }

void become(Identity identity) { own() = std::move(identity); }

void become(std::string name, bool daemon) {
  std::string parent = std::move(own().name);
  own() = {std::move(name), daemon, os::parent_process_id(), std::move(parent)};
}

}  // namespace process

ProcessInfo current_process() {
  const auto& identity = process::identity();
  return {identity.name, os::current_process_id(), identity.daemon, nullptr};
}

std::optional<ProcessInfo> parent_process() {
  const auto& identity = process::identity();
  if (identity.parent_pid == 0) return std::nullopt;
  return ProcessInfo{identity.parent_name, identity.parent_pid, false,
                     detail::WatchedProcess::parent(identity.parent_pid)};
}

}  // namespace brood
