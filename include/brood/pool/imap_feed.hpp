// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <ranges>
#include <utility>
#include <vector>

#include <brood/pool/pool_base.hpp>
#include <brood/pool/wait.hpp>

namespace brood::detail {

enum class Order { as_given, as_completed };

// Reads the input, keeps the window full, and hands the results out.
template <typename F, typename Item, Unpack unpack, typename Range, Order order>
class ImapFeed {
  using Result = item_result_t<F, Item, unpack>;
  using Map = TypedMap<Result, Errors::collect>;

 public:
  template <typename Function, typename Given>
  ImapFeed(Core& core, Function&& f, Given&& range, const MapOptions<Result>& options)
      : state_(std::make_unique<State>(std::forward<Function>(f), std::forward<Given>(range))),
        core_(&core),
        chunk_size_(require_chunk_size(options.chunksize)),
        options_(options) {
    core_->retain();
  }

  ImapFeed(ImapFeed&& other) noexcept
      : state_(std::move(other.state_)),
        core_(std::exchange(other.core_, nullptr)),
        chunk_size_(other.chunk_size_),
        options_(std::move(other.options_)) {}

  ~ImapFeed() {
    if (!core_) return;
    for (auto& piece : pieces_) piece->cancel(default_grace);
    core_->release();
  }

  bool at_end() const noexcept { return at_end_; }

  Result& current() {
    if (!current_->has_value()) std::rethrow_exception(current_->error());
    return current_->value();
  }

  // Goes on to the next result. False when it's not there at the deadline.
  bool advance(const Deadline& deadline = {}) {
    for (;;) {
      if (place_ < ready_.size()) {
        current_.emplace(std::move(ready_[place_++]));
        return true;
      }
      fill_window();
      if (pieces_.empty()) {
        finish();
        return true;
      }
      const auto piece = take_piece(deadline);
      if (!piece) return false;
      open(**piece);
    }
  }

 private:
  static constexpr std::size_t most_ahead = 20'000;
  static constexpr std::size_t pieces_a_worker = 4;
  static constexpr double piece_nanoseconds = 1e6;

  // Does not move with its owner: the iterators point into it.
  struct State {
    template <typename Function, typename Given>
    State(Function&& function, Given&& given)
        : f(std::forward<Function>(function)), range(std::forward<Given>(given)) {}
    F f;
    Range range;
    std::optional<std::ranges::iterator_t<std::remove_reference_t<Range>>> at;
  };

  std::size_t chunk() const noexcept {
    if (chunk_size_ != 0) return std::min(chunk_size_, most_ahead);
    if (item_nanoseconds_ <= 0) return 1;
    return static_cast<std::size_t>(std::clamp(piece_nanoseconds / item_nanoseconds_, 1.0, 1024.0));
  }

  void fill_window() {
    const std::size_t most_pieces = pieces_a_worker * std::max<std::size_t>(core_->workers(), 1);
    while (!input_ended_ && pieces_.size() < most_pieces) {
      const std::size_t size = std::max<std::size_t>(chunk(), 1);
      if (!pieces_.empty() && ahead_ + size > most_ahead) return;
      std::vector<Item> items = read_input(size);
      if (items.empty()) return;
      const std::size_t count = items.size();
      auto job = make_map<Item, unpack, Errors::collect>(*core_, state_->f, std::move(items),
                                                         Lending::copy);
      job->extras().timeout = options_.timeout;
      job->extras().retries = require_retries(options_.retries);
      job->chunk_size = count;
      job->first_index = read_;
      job->seed_sequence = seed_sequence_;
      core_->submit(job);
      if (seed_sequence_ == 0) seed_sequence_ = job->id().number;
      ahead_ += count;
      read_ += count;
      pieces_.push_back(std::move(job));
    }
  }

  std::vector<Item> read_input(std::size_t count) {
    std::vector<Item> items;
    try {
      if (!state_->at) {
        state_->at.emplace(std::ranges::begin(state_->range));
      }
      for (; items.size() < count; ++*state_->at) {
        if (*state_->at == std::ranges::end(state_->range)) {
          input_ended_ = true;
          break;
        }
        items.push_back(item_of<Item, Range>(**state_->at));
      }
    } catch (...) {
      input_error_ = std::current_exception();
      input_ended_ = true;
    }
    return items;
  }

  std::optional<JobRef<Map>> take_piece(const Deadline& deadline) {
    auto taken = pieces_.begin();
    if constexpr (order == Order::as_given) {
      if (!(*taken)->wait(deadline)) return std::nullopt;
    } else {
      std::vector<JobRef<Job>> jobs(pieces_.begin(), pieces_.end());
      const auto is_ready = [](const JobRef<Map>& job) { return job->ready(); };
      core_->progress();
      taken = std::find_if(pieces_.begin(), pieces_.end(), is_ready);
      if (taken == pieces_.end()) {
        wait_for(jobs, deadline, ReturnWhen::first_completed);
        taken = std::find_if(pieces_.begin(), pieces_.end(), is_ready);
      }
      if (taken == pieces_.end()) return std::nullopt;
    }
    JobRef<Map> piece = std::move(*taken);
    pieces_.erase(taken);
    return piece;
  }

  void open(Map& piece) {
    ahead_ -= piece.item_count();
    if (piece.item_nanoseconds > 0) item_nanoseconds_ = piece.item_nanoseconds;
    piece.open();
    place_ = 0;
    ready_.clear();
    if (piece.error()) {  // the pool has ended, or is broken
      ready_.emplace_back(piece.error());
      input_ended_ = true;
      pieces_.clear();
      return;
    }
    ready_ = std::move(piece.value());
  }

  void finish() {
    if (input_error_) {
      ready_.clear();
      current_.emplace(std::exchange(input_error_, nullptr));
      return;
    }
    at_end_ = true;
    current_.reset();
  }

  std::unique_ptr<State> state_;
  Core* core_;
  std::size_t chunk_size_;
  MapOptions<Result> options_;
  std::deque<JobRef<Map>> pieces_;  // submitted and not read
  std::size_t ahead_ = 0;           // items in them
  std::size_t read_ = 0;            // items ever
  std::uint64_t seed_sequence_ = 0;
  double item_nanoseconds_ = 0;
  bool input_ended_ = false;
  std::exception_ptr input_error_;
  std::vector<Outcome<Result>> ready_;
  std::size_t place_ = 0;  // in ready_
  std::optional<Outcome<Result>> current_;
  bool at_end_ = false;
};

}  // namespace brood::detail
