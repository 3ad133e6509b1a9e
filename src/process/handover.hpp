// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "os/memory.hpp"
#include "os/unique_fd.hpp"

namespace brood::process {

// What newborns are given while they share their nursery's table of descriptors. The
// nursery keeps it open until they say that they have a table of their own, or have ended.
// It does not wait for that: as a rule they run only when it has gone on.
class Handover {
 public:
  Handover()
      : mapping_(os::map_shared(os::make_memory("brood-handover", sizeof(Marks)).get(),
                                sizeof(Marks))) {}

  // A place for the next newborn. Nothing while all are taken: that one may not share.
  std::optional<std::size_t> prepare() noexcept {
    for (std::size_t place = 0; place < places; ++place) {
      if (given_[place].pid != 0) continue;
      marks()[place].store(0, std::memory_order_relaxed);
      return place;
    }
    return std::nullopt;
  }
  // By the nursery: what that newborn was given.
  void keep(std::size_t place, int pid, std::vector<os::UniqueFd> descriptors) noexcept {
    given_[place] = {pid, std::move(descriptors)};
  }
  // Closes what newborns have taken.
  void release() noexcept {
    for (std::size_t place = 0; place < places; ++place) {
      if (marks()[place].load(std::memory_order_acquire) != 0) given_[place] = {};
    }
  }
  // It has ended.
  void release_of(int pid) noexcept {
    for (Given& given : given_) {
      if (given.pid == pid) given = {};
    }
  }

  // By the newborn, once it has its own table.
  // Survives: death before it: its end is seen.
  void tell_taken(std::size_t place) noexcept {
    marks()[place].store(1, std::memory_order_release);
  }
  // By each newborn: a wild pointer of its tasks must not reach the others' marks.
  void leave() noexcept { os::Mapping(std::move(mapping_)); }

 private:
  static constexpr std::size_t places = 16;
  using Marks = std::array<std::atomic<std::uint32_t>, places>;
  struct Given {
    int pid = 0;  // 0: the place is free
    std::vector<os::UniqueFd> descriptors;
  };

  Marks& marks() const noexcept { return *reinterpret_cast<Marks*>(mapping_.data()); }

  os::Mapping mapping_;
  std::array<Given, places> given_;
};

}  // namespace brood::process
