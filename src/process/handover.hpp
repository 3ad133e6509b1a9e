// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <brood/base/timeout.hpp>

#include "os/pidfd.hpp"
#include "os/poller.hpp"
#include "os/unique_fd.hpp"
#include "process/order.hpp"

namespace brood::process {

// What newborns are given while they share their nursery's table of descriptors. The
// nursery keeps it open until they say that they have a table of their own, or have ended.
// It does not wait for that: as a rule they run only when it has gone on.
class Handover {
 public:
  // A place for the next newborn. Nothing while all are taken: that one may not share.
  std::optional<std::size_t> prepare() noexcept {
    for (std::size_t place = 0; place < places; ++place) {
      if (given_[place].is_taken) continue;
      given_[place].is_taken = true;
      return place;
    }
    return std::nullopt;
  }
  // By the nursery: what that newborn was given.
  void keep(std::size_t place, int pid, std::vector<os::UniqueFd> descriptors) noexcept {
    given_[place].pid = pid;
    given_[place].descriptors = std::move(descriptors);
  }
  // There is none to be given anything.
  void give_up(std::size_t place) noexcept { given_[place] = {}; }
  // Closes what newborns have taken.
  void release() noexcept {
    for (std::uint64_t taken = taken_.take(); taken != 0; taken &= taken - 1) {
      given_[static_cast<std::size_t>(std::countr_zero(taken))] = {};
    }
  }
  // Blocks: until all have theirs, or for a second: one may have ended before.
  void await_all() {
    using namespace std::chrono_literals;
    const Deadline deadline(1s);
    const auto is_given = [](const Given& given) { return given.is_taken; };
    while (std::any_of(given_.begin(), given_.end(), is_given)) {
      if (!os::wait_for_end(taken_.fd(), deadline)) return;
      release();
    }
  }
  // It has ended. Requires: release() since that was seen, as it may have taken them before.
  void release_of(int pid) noexcept {
    for (Given& given : given_) {
      if (given.pid == pid) given = {};
    }
  }

  // By the newborn, once it has its own table. It's the only one of its place, so that the
  // sum tells them all.
  // Survives: death before it: its end is seen.
  void tell_taken(std::size_t place) const noexcept { taken_.add(std::uint64_t{1} << place); }

  int fd() const noexcept { return taken_.fd(); }

 private:
  static constexpr std::size_t places = most_in_row;
  struct Given {
    bool is_taken = false;
    int pid = 0;  // once it's born
    std::vector<os::UniqueFd> descriptors;
  };

  os::Tally taken_;
  std::array<Given, places> given_;
};

}  // namespace brood::process
