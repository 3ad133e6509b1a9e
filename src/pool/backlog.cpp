// SPDX-License-Identifier: MIT
#include "pool/backlog.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "os/thread_end.hpp"

namespace brood::detail {
namespace {

std::atomic<std::uint64_t> backlogs{0};

}  // namespace

// What a thread keeps of its lines: where they are in the backlogs that it used last.
// A line lives as long as its backlog and its thread do, and a backlog's number is
// never another's, so that what's kept too long is never used.
class Backlog::Mine {
 public:
  static os::OfThread<Mine>& here() noexcept {
    constinit static thread_local os::OfThread<Mine> mine;
    return mine;
  }
  // Publishes the last push; pairs with the acquire in Backlog::look.
  ~Mine() { submitter->is_gone.store(true, std::memory_order_release); }
  Line* find(std::uint64_t backlog) const noexcept {
    for (const Known& each : known_) {
      if (each.backlog == backlog) return each.line;
    }
    return nullptr;
  }
  void keep(std::uint64_t backlog, Line& line) noexcept {
    known_[oldest_] = {backlog, &line};
    oldest_ = (oldest_ + 1) % known_.size();
  }

  const std::shared_ptr<Submitter> submitter = std::make_shared<Submitter>();

 private:
  struct Known {
    std::uint64_t backlog = 0;
    Line* line = nullptr;
  };
  std::array<Known, 4> known_{};
  std::size_t oldest_ = 0;
};

Backlog::Backlog() : number_(backlogs.fetch_add(1, std::memory_order_relaxed) + 1) {
  constexpr std::size_t few = 64;  // calls of some bundles: none is taken back in vain
  returned_.reserve(few);
}

Backlog::~Backlog() = default;

Line* Backlog::own_line() const noexcept {
  const Mine* const mine = Mine::here().find();
  return mine ? mine->find(number_) : nullptr;
}

Line& Backlog::make_own_line() {
  Mine& mine = Mine::here().get();
  auto found = std::find_if(lines_.begin(), lines_.end(),
                            [&](const Seat& seat) { return seat.submitter == mine.submitter; });
  if (found == lines_.end()) {
    lines_.push_back({mine.submitter, std::make_unique<Line>()});
    found = lines_.end() - 1;
  }
  mine.keep(number_, *found->line);
  return *found->line;
}

std::size_t Backlog::look() noexcept {
  std::size_t fresh = 0;
  for (std::size_t i = 0; i < lines_.size();) {
    Seat& seat = lines_[i];
    // Before the look: what it pushed at last is seen then.
    const bool is_gone = seat.submitter->is_gone.load(std::memory_order_acquire);
    fresh += seat.line->look();
    if (is_gone && seat.line->size() == 0) {
      std::swap(seat, lines_.back());
      lines_.pop_back();
      at_ = 0;
    } else {
      ++i;
    }
  }
  size_ += fresh;
  return fresh;
}

JobRef<Job> Backlog::take_front() noexcept {
  --size_;
  if (returned_.empty()) {
    JobRef<Job> job = turn().take();
    pass_turn();
    return job;
  }
  JobRef<Job> job = std::move(returned_.back());
  returned_.pop_back();
  return job;
}

void Backlog::clear() noexcept {
  returned_.clear();
  for (Seat& seat : lines_) {
    while (seat.line->size() != 0) seat.line->take();
  }
  size_ = 0;
}

}  // namespace brood::detail
