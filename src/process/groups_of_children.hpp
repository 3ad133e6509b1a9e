// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "os/descriptor_shelf.hpp"
#include "os/pidfd.hpp"
#include "os/poller.hpp"

namespace brood::process {

// The groups that die with the program. A pidfd keeps the number of its group
// from being another's: it can be asked whether its process still lives.
class GroupsOfChildren {
 public:
  // `own`: the nursery's descriptors.
  explicit GroupsOfChildren(std::span<const int> own) noexcept : shelf_(own) {}

  // Its pidfd should be on the shelf.
  void add(os::Child child) {
    poller_.watch(child.pidfd.get(), static_cast<std::uint64_t>(child.pid));
    children_.push_back(std::move(child));
  }
  // Closing alone would not end the watch: the program holds the same pidfd, which
  // stays readable until the child is reaped.
  void forget(int pid) {
    const auto gone = std::find_if(children_.begin(), children_.end(),
                                   [&](const os::Child& child) { return child.pid == pid; });
    if (gone == children_.end()) return;
    poller_.forget(gone->pidfd.get());
    children_.erase(gone);
  }
  void kill_all() noexcept {
    for (const auto& child : children_) os::send_signal_to_group(child, os::kill_signal);
  }
  os::Poller& poller() noexcept { return poller_; }
  const os::DescriptorShelf& shelf() const noexcept { return shelf_; }

 private:
  os::DescriptorShelf shelf_;
  os::Poller poller_;
  std::vector<os::Child> children_;
};

}  // namespace brood::process
