// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include <brood/pool/job.hpp>

#include "pool/id_table.hpp"

namespace brood::detail {

// Jobs in the order in which one thread submitted them: it puts them in without a
// lock, while whoever holds the engine's lock takes them out.
//
// Invariant: of the places in its chunks, those from taken_ to pushed_ hold a
// reference to a job. Chunks are linked before a place in the next one is pushed.
class Line {
 public:
  Line() : last_(new Chunk), first_(last_) {}
  ~Line() {
    for (look(); known_ != 0;) take();
    delete first_;  // then it's the last one too
    delete spare_.load(std::memory_order_acquire);
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  // --- by the thread whose line it is ---

  // The numbers of its next jobs.
  NumberRange& ids() noexcept { return ids_; }

  // So that push has a place. Throws: std::bad_alloc.
  void make_room() {
    if (last_used_ != chunk_size) return;
    // Pairs with the release in step: a chunk comes back empty.
    Chunk* next = spare_.exchange(nullptr, std::memory_order_acquire);
    if (!next) next = new Chunk;
    last_->next = next;
    last_ = next;
    last_used_ = 0;
  }
  // Requires: make_room() since the last one. Takes the reference over.
  void push(Job* job) noexcept {
    last_->jobs[last_used_++] = job;
    // Publishes the place; pairs with the acquire in look. seq_cst, since the engine
    // says first that it looks after what's in line, and looks here then.
    pushed_.store(pushed_.load(std::memory_order_relaxed) + 1, std::memory_order_seq_cst);
  }
  // To be asked for each job that nobody looks after yet: whether its thread submits faster
  // than a worker wakes, so that it had better leave them to another thread. How often it
  // comes does not tell at first: each worker that it wakes takes its core for a moment, and
  // one that waits for each of its jobs may come often too. So it counts how soon it comes
  // back once it has given one, and from then on how often.
  bool is_torrent() noexcept {
    using namespace std::chrono_literals;
    if (!is_torrent_ && ++given_here_ % many != 0) return false;
    const auto now = std::chrono::steady_clock::now();
    const std::uint64_t pushed = pushed_.load(std::memory_order_relaxed);
    const auto jobs = static_cast<std::int64_t>(pushed - std::exchange(pushed_before_, pushed));
    const auto passed = now - std::exchange(asked_at_, now);
    is_torrent_ = is_torrent_ ? passed < jobs * 1us : now - given_at_ < 400ns;
    return is_torrent_;
  }
  // After each that its thread has given itself.
  void note_given() noexcept {
    if (given_here_ % many == many - 1) given_at_ = std::chrono::steady_clock::now();
  }

  // --- by who holds the engine's lock ---

  // How many have come since the last look.
  std::size_t look() noexcept {
    const std::uint64_t pushed = pushed_.load(std::memory_order_seq_cst);
    const auto fresh = static_cast<std::size_t>(pushed - taken_) - known_;
    known_ += fresh;
    return fresh;
  }
  std::size_t size() const noexcept { return known_; }
  // Requires: size() != 0.
  Job& front() noexcept {
    step();
    return *first_->jobs[first_used_];
  }
  JobRef<Job> take() noexcept {
    step();
    --known_;
    ++taken_;
    return JobRef<Job>::adopt(first_->jobs[first_used_++]);
  }
  // One that comes soon, or null: to have it at hand then.
  const Job* soon(std::size_t places) const noexcept {
    const std::size_t at = first_used_ + places;
    return places < known_ && at < chunk_size ? first_->jobs[at] : nullptr;
  }
  template <typename Visit>
  void for_each(const Visit& visit) const {
    const Chunk* chunk = first_;
    std::size_t at = first_used_;
    for (std::size_t left = known_; left != 0; --left) {
      if (at == chunk_size) {
        chunk = chunk->next;
        at = 0;
      }
      visit(*chunk->jobs[at++]);
    }
  }

 private:
  static constexpr std::size_t chunk_size = 510;
  struct Chunk {
    Chunk* next;
    std::array<Job*, chunk_size> jobs;
  };

  // To the next chunk where this one has been taken out. Requires: known_ != 0.
  void step() noexcept {
    if (first_used_ != chunk_size) return;
    Chunk* const empty = std::exchange(first_, first_->next);
    first_used_ = 0;
    delete spare_.exchange(empty, std::memory_order_acq_rel);
  }

  static constexpr std::size_t cache_line = 64;

  // By its thread; pushed_ is read by others.
  alignas(cache_line) Chunk* last_;
  std::size_t last_used_ = 0;
  std::atomic<std::uint64_t> pushed_{0};
  NumberRange ids_;
  static constexpr unsigned many = 16;
  unsigned given_here_ = 0;
  bool is_torrent_ = false;
  std::uint64_t pushed_before_ = 0;
  std::chrono::steady_clock::time_point asked_at_;
  std::chrono::steady_clock::time_point given_at_;

  // By the engine.
  alignas(cache_line) Chunk* first_;
  std::size_t first_used_ = 0;
  std::uint64_t taken_ = 0;
  std::size_t known_ = 0;  // seen by look(), not taken

  // The chunk that the engine emptied last; whoever takes it out owns it.
  alignas(cache_line) std::atomic<Chunk*> spare_{nullptr};
};

}  // namespace brood::detail
