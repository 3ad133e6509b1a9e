// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <vector>

#include <brood/pool/job.hpp>

#include "lane/parent_end.hpp"
#include "os/control_group.hpp"
#include "os/pidfd.hpp"
#include "pool/placement.hpp"

namespace brood::detail {

// What the parent knows of a task that it put into a lane.
struct Piece {
  JobRef<Job> job;  // empty when the task was withdrawn, and of a bundle
  bool is_bundle = false;
  bool is_cut = false;  // a bundle whose worker keeps no more than `count`
  std::size_t first = 0;
  std::uint32_t count = 0;
  std::uint32_t in_line_since = 0;  // by the rough clock; 0 where it never had to wait there
  std::chrono::steady_clock::time_point given;
};

// One worker process, as the engine sees it. Guarded by the engine's lock, but
// for lane.wake.
struct Worker {
  enum class Phase : std::uint8_t {
    working,
    retiring,  // gets no more tasks, and leaves when it has done what it has
    overdue,   // its item passed its deadline; it's asked for its stack
    warned,    // was sent SIGTERM; what it does of its own accord, it does now
    doomed,    // was sent SIGKILL
  };

  Worker(const lane::Geometry& geometry, std::uint64_t number)
      : lane(geometry), id(number), pieces(geometry.slots) {}

  Piece& piece(std::uint64_t position) noexcept { return pieces[position & (pieces.size() - 1)]; }
  // The first calls of a bundle there. Empty are those that have settled, or were taken
  // back.
  std::span<JobRef<Job>> bundle(std::uint64_t position, std::size_t count) noexcept {
    return {&bundled[(position & (pieces.size() - 1)) * lane::most_bundled], count};
  }
  // Where there's no memory for it, calls go alone.
  void have_room_for_bundles() noexcept {
    if (!bundled.empty()) return;
    try {
      bundled.resize(pieces.size() * lane::most_bundled);
    } catch (const std::bad_alloc&) {
      return;
    }
  }
  // All jobs that the piece at a position is of.
  std::span<JobRef<Job>> jobs(std::uint64_t position) noexcept {
    Piece& at = piece(position);
    return at.is_bundle ? bundle(position, at.count) : std::span(&at.job, 1);
  }
  // Of all its pieces, though they may have settled meanwhile.
  template <typename Visit>
  void for_each_job(const Visit& visit) const {
    for (const Piece& each : pieces) {
      if (each.job) visit(*each.job);
    }
    for (const JobRef<Job>& job : bundled) {
      if (job) visit(*job);
    }
  }

  lane::ParentEnd lane;
  std::uint64_t id;
  std::size_t place = 0;  // of its charter's
  os::Child child;
  std::optional<os::MemoryGroup> memory;  // its own, if groups can be made
  Phase phase = Phase::working;
  std::vector<Piece> pieces;         // by position, modulo
  std::vector<JobRef<Job>> bundled;  // most_bundled for each of pieces, once there was a bundle
  std::size_t depth = 2;             // tasks it may hold now
  std::uint64_t given_items = 0;
  std::size_t timed_pieces = 0;  // outstanding ones with a timeout
  std::size_t open_bundles = 0;  // outstanding ones that were not cut
  bool replaces_another = false;
  // When it was done with the latest that lay in memory which the lane keeps.
  std::chrono::steady_clock::time_point large_request;
  // What it was seen at, when it was at a bundle: where, at which call, since when.
  std::uint64_t seen_position = 0;
  std::uint64_t seen_begun = 0;
  std::chrono::steady_clock::time_point seen_since;
  // While it's overdue: whose item, and how long its stack is waited for. While it's
  // warned: how long its end is.
  std::uint64_t overdue_position = 0;
  std::chrono::steady_clock::time_point patience_end;
};

// One that retires makes room for its replacement.
inline std::vector<std::size_t> places_of(const std::vector<std::shared_ptr<Worker>>& workers) {
  std::vector<std::size_t> places;
  for (const auto& worker : workers) {
    places.push_back(worker->phase == Worker::Phase::retiring ? nowhere : worker->place);
  }
  return places;
}

}  // namespace brood::detail
