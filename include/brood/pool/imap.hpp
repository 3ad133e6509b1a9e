// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include <brood/base/error.hpp>
#include <brood/base/timeout.hpp>

namespace brood {

// The results of imap and imap_unordered: an input range, made while it's read.
//
// It begins at once, and runs ahead of its reader by a few pieces of work a worker, and by no more
// than 20,000 items, so an endless input will do. Only the reading thread
// touches the input. An item that failed throws at `*it`; `++it` goes on. What
// the input itself throws is thrown in its place, and is the end. Dropping it
// cancels what was not read. close() lets it go on to its end; join() ends it.
template <typename Result, typename Feed>
class Imap {
 public:
  explicit Imap(std::unique_ptr<Feed> feed) : feed_(std::move(feed)) {}

  class iterator {
   public:
    using value_type = Result;
    using difference_type = std::ptrdiff_t;
    iterator() = default;
    explicit iterator(Feed* feed) : feed_(feed) {
      if (!feed_->has_current()) feed_->advance(Deadline());
    }
    // Throws: the item's error.
    Result& operator*() const { return feed_->current().value(); }
    Result* operator->() const { return &feed_->current().value(); }
    // Blocks: until the next result is there.
    iterator& operator++() {
      feed_->advance(Deadline());
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return feed_->at_end(); }

   private:
    Feed* feed_ = nullptr;
  };

  // Where reading has come to: the input is read once.
  iterator begin() { return iterator(feed_.get()); }
  std::default_sentinel_t end() const noexcept { return {}; }

  // The next result, moved out; nothing at the end. Throws the item's error, after
  // which the one behind it is next; and TimeoutError when there's none in time,
  // after which it can be asked for again.
  std::optional<Result> next(Timeout timeout = {}) {
    if (!feed_->advance(Deadline(timeout))) {
      throw TimeoutError("cannot get the next result: it's not there yet; the task goes on");
    }
    if (feed_->at_end()) return std::nullopt;
    return feed_->take_current().value();
  }

 private:
  std::unique_ptr<Feed> feed_;
};

}  // namespace brood
