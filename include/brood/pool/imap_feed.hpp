// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <exception>
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
  // Throws: ValueError when the pool is closed, or for options that make no sense;
  // ShipError when a capture can't travel.
  template <typename Function, typename Given>
  ImapFeed(Core& core, Function&& f, Given&& range, const MapOptions<Result>& options)
      : core_(core),
        chunk_size_(require_chunk_size(options.chunksize)),
        retries_(require_retries(options.retries)),
        timeout_(options.timeout),
        f_(std::forward<Function>(f)),
        range_(std::forward<Given>(range)) {
    require_shippable(core, f_);  // now, and not behind the results that there are
    core_.open_feed();
    core_.retain();
    fill_window();
  }

  ImapFeed(const ImapFeed&) = delete;
  ImapFeed& operator=(const ImapFeed&) = delete;

  ~ImapFeed() {
    end_input();
    try {
      for (auto& piece : pieces_) piece->cancel(default_grace);
    } catch (const Error&) {
      // In a child that the user forked: they are its parent's.
    }
    core_.release();
  }

  bool at_end() const noexcept { return at_end_; }
  bool has_current() const noexcept { return current_.has_value(); }
  // Requires: has_current().
  Outcome<Result>& current() noexcept { return *current_; }
  Outcome<Result> take_current() {
    Outcome<Result> taken = std::move(*current_);
    current_.reset();
    return taken;
  }

  // Goes on to the next result. False when it's not there at the deadline.
  bool advance(const Deadline& deadline) {
    current_.reset();
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

  std::size_t chunk() const noexcept {
    if (chunk_size_ != 0) return std::min(chunk_size_, most_ahead);
    if (item_nanoseconds_ <= 0) return 1;
    return static_cast<std::size_t>(std::clamp(piece_nanoseconds / item_nanoseconds_, 1.0, 1024.0));
  }

  // What goes wrong in it, be it the input or the pool, comes to light behind the
  // results of what was read before, and ends the input.
  void fill_window() noexcept {
    try {
      const std::size_t most_pieces = pieces_a_worker * std::max<std::size_t>(core_.workers(), 1);
      while (!input_ended_ && pieces_.size() < most_pieces) {
        const std::size_t size = chunk();
        if (!pieces_.empty() && ahead_ + size > most_ahead) return;
        std::vector<Item> items = read_input(size);
        if (!items.empty()) submit(std::move(items));
      }
      if (input_ended_) close_feed();
    } catch (...) {
      input_error_ = std::current_exception();
      end_input();
    }
  }

  void submit(std::vector<Item> items) {
    const std::size_t count = items.size();
    auto job = make_map<Item, unpack, Errors::collect>(core_, f_, std::move(items), Lending::copy);
    if (!timeout_.is_forever() || retries_ != 0) {
      job->extras().timeout = timeout_;
      job->extras().retries = retries_;
    }
    job->chunk_size = count;
    job->first_index = read_ - count;
    // All pieces are one job to the user: they share its id, and its seeds.
    job->seed_sequence = id_.number;
    core_.submit(job);
    id_ = job->id();
    ahead_ += count;
    pieces_.push_back(std::move(job));
  }

  // At the end, or where the input throws, fewer than asked for. The pool stays open
  // for them: the feed is closed once they are submitted.
  std::vector<Item> read_input(std::size_t count) noexcept {
    std::vector<Item> items;
    try {
      if (!at_) at_.emplace(std::ranges::begin(range_));
      for (; items.size() < count; ++*at_) {
        if (*at_ == std::ranges::end(range_)) {
          input_ended_ = true;
          break;
        }
        items.push_back(item_of<Item, Range>(**at_));
        ++read_;
      }
    } catch (...) {
      input_error_ = std::current_exception();
      input_ended_ = true;
    }
    return items;
  }

  void end_input() noexcept {
    input_ended_ = true;
    close_feed();
  }

  void close_feed() noexcept {
    if (std::exchange(feeds_, false)) core_.close_feed();
  }

  std::optional<JobRef<Map>> take_piece(const Deadline& deadline) {
    auto taken = pieces_.begin();
    if constexpr (order == Order::as_given) {
      if (!(*taken)->wait(deadline)) return std::nullopt;
    } else {
      std::vector<JobRef<Job>> jobs(pieces_.begin(), pieces_.end());
      const auto is_ready = [](const JobRef<Map>& job) { return job->ready(); };
      core_.progress();
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
      end_input();
      pieces_.clear();
      return;
    }
    ready_ = std::move(piece.value());
  }

  void finish() {
    if (input_error_) {
      current_.emplace(std::exchange(input_error_, nullptr));
      return;
    }
    at_end_ = true;
  }

  Core& core_;  // a counted reference
  const std::size_t chunk_size_;
  const std::int64_t retries_;
  const Timeout timeout_;
  F f_;
  Range range_;
  std::optional<std::ranges::iterator_t<std::remove_reference_t<Range>>> at_;
  bool input_ended_ = false;
  bool feeds_ = true;  // the pool counts on more
  std::exception_ptr input_error_;
  std::deque<JobRef<Map>> pieces_;  // submitted and not read
  std::size_t ahead_ = 0;           // items in them
  std::size_t read_ = 0;            // items ever
  JobId id_;                        // of the first piece
  double item_nanoseconds_ = 0;
  std::vector<Outcome<Result>> ready_;
  std::size_t place_ = 0;  // in ready_
  std::optional<Outcome<Result>> current_;
  bool at_end_ = false;
};

}  // namespace brood::detail
